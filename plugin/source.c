// SPDX-License-Identifier: GPL-2.0-only
/* source.zsr.db: an output port for each trace of a database, or for one. */
#include <stdlib.h>
#include <string.h>

#include "interop/bt.h"
#include "plugin/db.h"
#include "plugin/plugin.h"

struct source {
	struct zsr_db *db;
	bt_self_component_source *self;
	struct zsr_bt_trace **trace; /* by port */
	size_t nr_traces, cap_traces;
	uint64_t begin_ns, end_ns;
	struct zsr_err *err;
};

/* ---- parameters ----------------------------------------------------------- */

/* What babeltrace2 hands over: an array of one path. */
static int input(const struct plugin_params *p, const char **path)
{
	const bt_value *v = bt_value_map_borrow_entry_value_const(p->map,
								  "inputs");

	if (!v)
		return 0;
	if (!bt_value_is_array(v) || bt_value_array_get_length(v) != 1 ||
	    !bt_value_is_string(
		    bt_value_array_borrow_element_by_index_const(v, 0)))
		return zsr_err_usage(p->err,
				     "parameter inputs: no array of one path");
	*path = bt_value_string_get(
		bt_value_array_borrow_element_by_index_const(v, 0));
	return 0;
}

static int parameters(struct source *s, const bt_value *params,
		      const char **path, const char **trace)
{
	static const char *const names[] = { "inputs", "database", "trace",
					     "begin",  "end",      NULL };
	const struct plugin_params p = { params, s->err };
	int ret = plugin_params_known(&p, names);

	if (!ret)
		ret = input(&p, path);
	if (!ret)
		ret = plugin_param_text(&p, "database", path);
	if (!ret)
		ret = plugin_param_text(&p, "trace", trace);
	if (!ret)
		ret = plugin_param_ns(&p, "begin", &s->begin_ns);
	if (!ret)
		ret = plugin_param_ns(&p, "end", &s->end_ns);
	if (!ret && !*path)
		ret = zsr_err_usage(s->err, "parameter database: missing");
	if (!ret && s->begin_ns > s->end_ns)
		ret = zsr_err_usage(s->err, "begin lies behind end");
	return ret;
}

/* ---- ports ---------------------------------------------------------------- */

static int add_trace(void *ctx, const struct zsr_trace *t)
{
	struct source *s = ctx;
	struct zsr_bt_trace *b;
	int ret;

	if (zsr_grow(&s->trace, &s->cap_traces, s->nr_traces + 1,
		     sizeof(struct zsr_bt_trace *)))
		return zsr_err_nomem(s->err, "traces");
	ret = zsr_bt_trace_open(
		&b, bt_self_component_source_as_self_component(s->self), s->db,
		t, s->begin_ns, s->end_ns, s->err);
	if (ret)
		return ret;
	s->trace[s->nr_traces++] = b;
	if (bt_self_component_source_add_output_port(s->self, t->name, b, NULL) !=
	    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK)
		return zsr_err_nomem(s->err, "ports");
	return 0;
}

static int open_traces(struct source *s, const char *path, const char *name)
{
	struct zsr_trace t;
	int ret = zsr_db_open(&s->db, path, ZSR_DB_READONLY, s->err);

	if (!ret && name)
		ret = zsr_trace_find(s->db, name, &t, s->err);
	if (ret)
		return ret;
	ret = name ? add_trace(s, &t)
		   : zsr_trace_list(s->db, add_trace, s, s->err);
	if (!ret && !s->nr_traces)
		ret = zsr_err_input(s->err, "%s: holds no trace", path);
	return ret;
}

static void free_source(struct source *s)
{
	size_t i;

	for (i = 0; i < s->nr_traces; i++)
		zsr_bt_trace_close(s->trace[i]);
	free(s->trace);
	zsr_db_close(s->db);
	free(s);
}

bt_component_class_initialize_method_status plugin_source_init(
	bt_self_component_source *self,
	bt_self_component_source_configuration *config, const bt_value *params,
	void *data)
{
	struct source *s = calloc(1, sizeof(*s));
	const char *path = NULL, *trace = NULL;
	struct zsr_err err = { 0 };
	int ret;

	if (!s)
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	s->self = self;
	s->end_ns = UINT64_MAX;
	s->err = &err;
	ret = parameters(s, params, &path, &trace);
	if (!ret)
		ret = open_traces(s, path, trace);
	s->err = NULL;
	if (ret) {
		BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(
			bt_self_component_source_as_self_component(self), "%s",
			err.msg);
		free_source(s);
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	bt_self_component_set_data(
		bt_self_component_source_as_self_component(self), s);
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

void plugin_source_finalize(bt_self_component_source *self)
{
	free_source(bt_self_component_get_data(
		bt_self_component_source_as_self_component(self)));
}

/* ---- is it a database? ---------------------------------------------------- */

/* What begins any database of ours: SQLite's first bytes, and our own number. */
static bool is_database(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	unsigned char head[72];
	FILE *f = fopen(path, "re");
	bool is = f && fread(head, sizeof(head), 1, f) == 1 &&
		  !memcmp(head, magic, sizeof(magic)) &&
		  !memcmp(head + 68, "zsr1", 4);

	if (f)
		fclose(f);
	return is;
}

static const char *text_of(const bt_value *params, const char *name)
{
	const bt_value *v = bt_value_map_borrow_entry_value_const(params, name);

	return v && bt_value_is_string(v) ? bt_value_string_get(v) : "";
}

bt_component_class_query_method_status plugin_source_query(
	bt_self_component_class_source *self,
	bt_private_query_executor *executor, const char *object,
	const bt_value *params, void *data, const bt_value **result)
{
	if (strcmp(object, "babeltrace.support-info"))
		return BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_UNKNOWN_OBJECT;
	if (!bt_value_is_map(params))
		return BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_ERROR;
	*result = bt_value_real_create_init(
		!strcmp(text_of(params, "type"), "file") &&
				is_database(text_of(params, "input"))
			? 1.0
			: 0.0);
	return *result ? BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_OK
		       : BT_COMPONENT_CLASS_QUERY_METHOD_STATUS_MEMORY_ERROR;
}
