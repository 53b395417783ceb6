// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF 1.8, written by libbabeltrace2's sink.ctf.fs: a source of ours before it,
 * without a muxer, as its messages are in order. The directory is made under
 * another name, which it has until all is in it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/bt.h"

struct out {
	struct zsr_db *db;
	const struct zsr_trace *t;
	struct zsr_bt_trace *b;
	bt_graph *graph;
	const bt_plugin *plugin;
	char temp[4096], dir[4112]; /* the second is in the first */
	struct zsr_err *err;
	int ret; /* of what we did in the graph */
};

/* ---- the source ------------------------------------------------------------- */

static bt_component_class_initialize_method_status init(
	bt_self_component_source *self,
	bt_self_component_source_configuration *config, const bt_value *params,
	void *data)
{
	bt_self_component *comp =
		bt_self_component_source_as_self_component(self);
	struct out *o = data;

	o->ret = zsr_bt_trace_open(&o->b, comp, o->db, o->t, 0, UINT64_MAX,
				   o->err);
	if (!o->ret &&
	    bt_self_component_source_add_output_port(self, "out", o->b, NULL) !=
		    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK)
		o->ret = zsr_err_nomem(o->err, "port");
	return o->ret ? BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR
		      : BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static bt_component_class_source *source_class(void)
{
	bt_message_iterator_class *it =
		bt_message_iterator_class_create(zsr_bt_iterator_next);
	bt_component_class_source *class = NULL;

	if (!it)
		return NULL;
	bt_message_iterator_class_set_initialize_method(it,
							zsr_bt_iterator_init);
	bt_message_iterator_class_set_finalize_method(it,
						      zsr_bt_iterator_finalize);
	class = bt_component_class_source_create("db", it);
	bt_message_iterator_class_put_ref(it);
	if (class)
		bt_component_class_source_set_initialize_method(class, init);
	return class;
}

/* ---- the graph ------------------------------------------------------------ */

/* Ours, or what the library says first. */
static int failed(struct out *o)
{
	const bt_error *e = bt_current_thread_take_error();

	if (!o->ret && o->b && o->b->err.kind) {
		*o->err = o->b->err;
		o->ret = o->err->kind == ZSR_ERR_SYSTEM ? -EIO : -EINVAL;
	}
	if (!o->ret)
		o->ret = zsr_err_sys(
			o->err, EIO, "sink.ctf.fs of libbabeltrace2: %s",
			e && bt_error_get_cause_count(e)
				? bt_error_cause_get_message(
					  bt_error_borrow_cause_by_index(e, 0))
				: "it failed");
	if (e)
		bt_error_release(e);
	return o->ret;
}

static bt_value *sink_params(const struct out *o)
{
	bt_value *params = bt_value_map_create();

	if (params && !bt_value_map_insert_string_entry(params, "path", o->dir) &&
	    !bt_value_map_insert_bool_entry(params, "assume-single-trace",
					    BT_TRUE) &&
	    !bt_value_map_insert_bool_entry(params, "quiet", BT_TRUE))
		return params;
	bt_value_put_ref(params);
	return NULL;
}

static int add_components(struct out *o, bt_component_class_source *class,
			  const bt_value *params)
{
	const bt_component_class_sink *fs;
	const bt_component_source *source;
	const bt_component_sink *sink;

	if (bt_plugin_find("ctf", BT_FALSE, BT_FALSE, BT_TRUE, BT_FALSE,
			   BT_FALSE, &o->plugin) != BT_PLUGIN_FIND_STATUS_OK)
		return failed(o);
	fs = bt_plugin_borrow_sink_component_class_by_name_const(o->plugin,
								 "fs");
	if (!fs ||
	    bt_graph_add_source_component_with_initialize_method_data(
		    o->graph, class, "zsr", NULL, o, BT_LOGGING_LEVEL_NONE,
		    &source) != BT_GRAPH_ADD_COMPONENT_STATUS_OK ||
	    bt_graph_add_sink_component(o->graph, fs, "ctf", params,
					BT_LOGGING_LEVEL_NONE, &sink) !=
		    BT_GRAPH_ADD_COMPONENT_STATUS_OK ||
	    bt_graph_connect_ports(
		    o->graph,
		    bt_component_source_borrow_output_port_by_index_const(
			    source, 0),
		    bt_component_sink_borrow_input_port_by_index_const(sink, 0),
		    NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK)
		return failed(o);
	return 0;
}

static int run(struct out *o)
{
	bt_component_class_source *class = source_class();
	bt_value *params = sink_params(o);
	int ret;

	o->graph = bt_graph_create(0);
	if (!class || !params || !o->graph)
		ret = zsr_err_nomem(o->err, "graph");
	else
		ret = add_components(o, class, params);
	if (!ret && bt_graph_run(o->graph) != BT_GRAPH_RUN_STATUS_OK)
		ret = failed(o);
	bt_value_put_ref(params);
	bt_component_class_source_put_ref(class);
	return ret;
}

/* ---- the directory ---------------------------------------------------------- */

/* The files in it, but no directories. */
static void empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
}

/* A new directory, in which sink.ctf.fs makes its own. */
static int make_dir(struct out *o, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len + sizeof(".XXXXXX") > sizeof(o->temp))
		return zsr_err_sys(o->err, ENAMETOOLONG, "%s", path);
	snprintf(o->temp, sizeof(o->temp), "%.*s.XXXXXX", (int)len, path);
	if (!mkdtemp(o->temp))
		return zsr_err_sys(o->err, errno, "%s", path);
	snprintf(o->dir, sizeof(o->dir), "%s/ctf", o->temp);
	return 0;
}

static void remove_dir(const struct out *o)
{
	empty(o->dir);
	rmdir(o->dir);
	empty(o->temp);
	rmdir(o->temp);
}

/* The library ends the process when there is no room for the metadata, which it
 * writes when the graph goes: a file keeps the room until then. */
static int reserve(const struct out *o)
{
	char path[sizeof(o->dir) + 16];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/room", o->temp);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return zsr_err_sys(o->err, errno, "%s", path);
	ret = posix_fallocate(fd, 0, 256 << 10);
	close(fd);
	return ret ? zsr_err_sys(o->err, ret, "%s", path) : 0;
}

static int put_in_place(const struct out *o, const char *path)
{
	return rename(o->dir, path) ? zsr_err_sys(o->err, errno, "%s", path) : 0;
}

/* ---- what is not in it -------------------------------------------------------- */

static void look_for_unsaid(const struct zsr_bt_trace *b,
			    struct zsr_unsaid *unsaid)
{
	size_t i;

	for (i = 0; i < b->names.nr_marks; i++)
		unsaid->marks += !zsr_name_is_plain(b->names.mark[i]);
	for (i = 0; i < b->names.nr_tasks; i++)
		unsaid->tasks += !zsr_name_is_plain(b->names.task[i].comm);
}

int zsr_export_ctf(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_unsaid *unsaid,
		   struct zsr_err *err)
{
	struct out o = { .db = db, .t = t, .err = err };
	int ret;

	memset(unsaid, 0, sizeof(*unsaid));
	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE);
	ret = make_dir(&o, path);
	if (ret)
		return ret;
	ret = reserve(&o);
	if (!ret)
		ret = run(&o);
	if (!ret)
		look_for_unsaid(o.b, unsaid);
	else
		empty(o.dir);
	empty(o.temp);
	zsr_bt_trace_close(o.b);
	bt_graph_put_ref(o.graph);
	bt_plugin_put_ref(o.plugin);
	if (!ret)
		ret = put_in_place(&o, path);
	remove_dir(&o);
	return ret;
}
