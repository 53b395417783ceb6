// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF traces, read by libbabeltrace2: a source.ctf.fs for each of them, a
 * muxer, and a sink of ours. Its plug-ins are those that lie beside the library
 * and no others, wherever the environment points to.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/ctf.h"

/* ---- errors --------------------------------------------------------------- */

/* Up to where a message says what went wrong, and not in which structures. */
static size_t said(const char *msg)
{
	const char *at = strchr(msg, '='), *p;

	if (!at)
		return strlen(msg);
	for (p = at; p > msg && p[-1] != ' ';)
		p--;
	while (p > msg && (p[-1] == ' ' || p[-1] == ':' || p[-1] == ','))
		p--;
	return p > msg ? (size_t)(p - msg) : strlen(msg);
}

/* The file that a message quotes, `so' or 'so', when it is in DIR. */
static bool quoted(const char *msg, const char *dir, char *to, size_t room)
{
	const char *at = strstr(msg, dir), *end;

	if (!at || at == msg || (at[-1] != '\'' && at[-1] != '`'))
		return false;
	end = strpbrk(at, "'`");
	if (!end || at[strlen(dir)] != '/')
		return false;
	snprintf(to, room, "%.*s", (int)(end - at), at);
	return true;
}

static const char *cause(const bt_error *e, uint64_t i)
{
	return bt_error_cause_get_message(bt_error_borrow_cause_by_index(e, i));
}

static bool begins(const char *msg, const char *with)
{
	return !strncmp(msg, with, strlen(with));
}

/* The causes are a chain of its functions: the first says why, unless that went
 * to its log only, and one of them in which file. */
static int fold(const struct ctf *c, const char *dir, struct zsr_err *err)
{
	const bt_error *e = bt_current_thread_take_error();
	uint64_t i, n = e ? bt_error_get_cause_count(e) : 0;
	const char *root;
	char file[512];
	unsigned k;

	snprintf(file, sizeof(file), "%s", dir ? dir : c->name);
	for (i = 0; i < n; i++)
		for (k = 0; k < c->nr_dirs; k++)
			if ((!dir || dir == c->dirs[k]) &&
			    quoted(cause(e, i), c->dirs[k], file, sizeof(file)))
				i = n;
	root = n ? cause(e, 0) : "Cannot create trace for";
	if (begins(root, "Failed to index"))
		zsr_err_input(err,
			      "%s: truncated or damaged: its packets do not "
			      "fit into its size",
			      file);
	else if (begins(root, "Cannot create trace for"))
		zsr_err_input(err,
			      "%s: damaged metadata (babeltrace2 tells the "
			      "line)",
			      file);
	else
		zsr_err_input(err, "%s: damaged CTF trace: %.*s", file,
			      (int)said(root), root);
	if (e)
		bt_error_release(e);
	return -EINVAL;
}

/* GLib ends a process that way when it gets no memory. */
static struct ctf *trapped;

static void no_memory(int sig)
{
	struct zsr_err err = { 0 };

	zsr_err_input(&err,
		      "%s: a CTF trace that needs more memory than it may"
		      " have",
		      trapped->name);
	dec_out_error(trapped->d->out, err.msg);
	_exit(0);
}

/* ---- plug-ins -------------------------------------------------------------- */

/* The only plug-in of FILE, beside the library that is loaded. */
static int plugin(const char *file, const bt_plugin_set **set,
		  const bt_plugin **p, struct zsr_err *err)
{
	char path[4096];
	const char *slash;
	Dl_info lib;

	if (!dladdr((void *)bt_graph_create, &lib) ||
	    !(slash = strrchr(lib.dli_fname, '/')))
		return zsr_err_sys(err, ENOENT, "libbabeltrace2");
	snprintf(path, sizeof(path), "%.*s/babeltrace2/plugins/%s",
		 (int)(slash - lib.dli_fname), lib.dli_fname, file);
	if (bt_plugin_find_all_from_file(path, BT_TRUE, set) !=
		    BT_PLUGIN_FIND_ALL_FROM_FILE_STATUS_OK ||
	    !bt_plugin_set_get_plugin_count(*set)) {
		bt_current_thread_clear_error();
		return zsr_err_sys(err, ENOENT, "plug-in %s of libbabeltrace2",
				   path);
	}
	*p = bt_plugin_set_borrow_plugin_by_index_const(*set, 0);
	return 0;
}

/* ---- the graph -------------------------------------------------------------- */

static bt_graph_simple_sink_component_consume_func_status consume(
	bt_message_iterator *it, void *ctx)
{
	bt_message_array_const msgs;
	struct ctf *c = ctx;
	uint64_t n, i;

	switch (bt_message_iterator_next(it, &msgs, &n)) {
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK:
		break;
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
		return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END;
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
		return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_AGAIN;
	default:
		return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_ERROR;
	}
	for (i = 0; i < n; i++) {
		if (!c->failed && ctf_message(c, msgs[i], c->err))
			c->failed = true;
		bt_message_put_ref(msgs[i]);
	}
	return c->failed
		       ? BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_ERROR
		       : BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

struct graph {
	bt_graph *graph;
	const bt_plugin_set *ctf, *utils;
	const bt_component_class_source *fs;
	const bt_component_class_filter *muxer_class;
	const bt_component_filter *muxer;
	const bt_component_sink *sink;
	unsigned nr_streams;
};

static int prepare(struct graph *g, struct ctf *c, struct zsr_err *err)
{
	const bt_plugin *ctf, *utils;
	int ret;

	ret = plugin("babeltrace-plugin-ctf.so", &g->ctf, &ctf, err);
	if (!ret)
		ret = plugin("babeltrace-plugin-utils.so", &g->utils, &utils,
			     err);
	if (ret)
		return ret;
	g->fs = bt_plugin_borrow_source_component_class_by_name_const(ctf,
								      "fs");
	g->muxer_class = bt_plugin_borrow_filter_component_class_by_name_const(
		utils, "muxer");
	g->graph = bt_graph_create(0);
	if (!g->fs || !g->muxer_class || !g->graph)
		return zsr_err_sys(err, ENOENT, "plug-ins of libbabeltrace2");
	if (bt_graph_add_filter_component(g->graph, g->muxer_class, "muxer", NULL,
					  BT_LOGGING_LEVEL_NONE, &g->muxer) !=
		    BT_GRAPH_ADD_COMPONENT_STATUS_OK ||
	    bt_graph_add_simple_sink_component(g->graph, "sink", NULL, consume,
					       NULL, c, &g->sink) !=
		    BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		return fold(c, NULL, err);
	return 0;
}

/* The source's streams go to the muxer, which has an empty port at its end. */
static int connect_source(struct graph *g, const struct ctf *c, const char *dir,
			  const bt_component_source *source, struct zsr_err *err)
{
	uint64_t i, n = bt_component_source_get_output_port_count(source);

	for (i = 0; i < n; i++) {
		const bt_port_output *out =
			bt_component_source_borrow_output_port_by_index_const(
				source, i);
		uint64_t nr = bt_component_filter_get_input_port_count(g->muxer);
		const bt_port_input *in =
			bt_component_filter_borrow_input_port_by_index_const(
				g->muxer, nr - 1);

		if (bt_graph_connect_ports(g->graph, out, in, NULL) !=
		    BT_GRAPH_CONNECT_PORTS_STATUS_OK)
			return fold(c, dir, err);
		g->nr_streams++;
	}
	return 0;
}

static int add_source(struct graph *g, const struct ctf *c, unsigned nr,
		      struct zsr_err *err)
{
	bt_value *params = bt_value_map_create(), *inputs = NULL;
	const bt_component_source *source;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "trace%u", nr);
	if (!params ||
	    bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) !=
		    BT_VALUE_MAP_INSERT_ENTRY_STATUS_OK ||
	    bt_value_array_append_string_element(inputs, c->dirs[nr]) !=
		    BT_VALUE_ARRAY_APPEND_ELEMENT_STATUS_OK)
		ret = zsr_err_nomem(err, "traces");
	else if (bt_graph_add_source_component(g->graph, g->fs, name, params,
					       BT_LOGGING_LEVEL_NONE, &source) !=
		 BT_GRAPH_ADD_COMPONENT_STATUS_OK)
		ret = fold(c, c->dirs[nr], err);
	else
		ret = connect_source(g, c, c->dirs[nr], source, err);
	bt_value_put_ref(params);
	return ret;
}

static int build(struct graph *g, struct ctf *c, struct zsr_err *err)
{
	unsigned i;
	int ret = prepare(g, c, err);

	for (i = 0; i < c->nr_dirs && !ret; i++)
		ret = add_source(g, c, i, err);
	if (ret)
		return ret;
	if (!g->nr_streams)
		return zsr_err_input(err, "%s: a CTF trace without streams",
				     c->dirs[0]);
	if (bt_graph_connect_ports(
		    g->graph,
		    bt_component_filter_borrow_output_port_by_index_const(
			    g->muxer, 0),
		    bt_component_sink_borrow_input_port_by_index_const(g->sink,
								       0),
		    NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK)
		return fold(c, NULL, err);
	return 0;
}

static int run(struct graph *g, struct ctf *c, struct zsr_err *err)
{
	bt_graph_run_status status;

	c->err = err;
	c->d->started = true;
	dec_out_meta(c->d->out, "format", "CTF");
	do
		status = bt_graph_run(g->graph);
	while (status == BT_GRAPH_RUN_STATUS_AGAIN);
	if (c->failed) {
		bt_current_thread_clear_error();
		return zsr_err_wrap(err, -EINVAL, "%s", c->name);
	}
	if (status != BT_GRAPH_RUN_STATUS_OK)
		return fold(c, NULL, err);
	if (ctf_messages_end(c, err))
		return zsr_err_wrap(err, -EINVAL, "%s", c->dirs[0]);
	return 0;
}

int dec_ctf(struct dec *d, int dirfd, const char *path, bool *found,
	    struct zsr_err *err)
{
	struct ctf *c = calloc(1, sizeof(*c));
	struct graph g = { 0 };
	int ret;

	if (!c)
		return zsr_err_nomem(err, path);
	c->d = d;
	c->name = path;
	ret = ctf_search(c, dirfd, err);
	*found = ret || c->nr_dirs;
	if (ret || !*found)
		goto out;
	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE);
	trapped = c;
	signal(SIGTRAP, no_memory);
	ret = dec_sidecars(d, dirfd, path, err);
	if (!ret)
		ret = build(&g, c, err);
	if (!ret)
		ret = run(&g, c, err);
	bt_graph_put_ref(g.graph);
	bt_plugin_set_put_ref(g.ctf);
	bt_plugin_set_put_ref(g.utils);
out:
	ctf_free(c);
	return ret;
}
