// SPDX-License-Identifier: GPL-2.0-only
/*
 * sink.zsr.db: what zsr import makes of a CTF trace, of the messages of any
 * graph. A thread of its own has the database, so that the graph goes on while
 * it works.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "db/db.h"
#include "plugin/db.h"
#include "plugin/plugin.h"

struct sink {
	bt_message_iterator *messages;
	struct zsr_feed *feed;
	pthread_t thread;
	bool running;
	char *database, *name, *kernel;
	struct zsr_import_opts opts;
	struct zsr_trace trace; /* what came of it */
	struct zsr_odd odd;
	struct zsr_err err; /* the thread's, until it has ended */
	int ret;
};

/* ---- the thread ----------------------------------------------------------- */

static int import(struct sink *s, struct zsr_db *db)
{
	struct zsr_import *imp;
	int ret = zsr_import_begin(db, &s->opts, &imp, &s->err);

	if (ret)
		return ret;
	ret = zsr_feed_receive(s->feed, zsr_import_sink(imp), &s->err);
	if (!ret)
		return zsr_import_finish(imp, &s->trace, &s->odd, &s->err);
	zsr_import_abort(imp);
	return ret;
}

/* A database that was made for it goes when nothing came into it. */
static void *work(void *arg)
{
	struct sink *s = arg;
	bool was_there = !access(s->database, F_OK);
	struct zsr_db *db = NULL;

	s->ret = zsr_db_open(&db, s->database, ZSR_DB_CREATE, &s->err);
	if (!s->ret)
		s->ret = import(s, db);
	else
		zsr_feed_refuse(s->feed);
	zsr_db_close(db);
	if (s->ret && !was_there)
		unlink(s->database);
	return NULL;
}

static int join(struct sink *s)
{
	if (s->running)
		pthread_join(s->thread, NULL);
	s->running = false;
	return s->ret;
}

/* ---- the component -------------------------------------------------------- */

static int take(const struct plugin_params *p, const char *name, char **to)
{
	const char *text = NULL;
	int ret = plugin_param_text(p, name, &text);

	if (ret || !text)
		return ret;
	*to = strdup(text);
	return *to ? 0 : zsr_err_nomem(p->err, name);
}

static int number(const struct plugin_params *p, const char *name, uint32_t *to)
{
	uint64_t v = 0;
	int ret = plugin_param_ns(p, name, &v);

	if (!ret && v > UINT32_MAX)
		ret = zsr_err_usage(p->err, "parameter %s: too large", name);
	*to = (uint32_t)v;
	return ret;
}

static int parameters(struct sink *s, const bt_value *params,
		      struct zsr_err *err)
{
	static const char *const names[] = { "database",   "trace",
					     "kernel",     "page-size",
					     "chain-size", NULL };
	const struct plugin_params p = { params, err };
	int ret = plugin_params_known(&p, names);

	if (!ret)
		ret = take(&p, "database", &s->database);
	if (!ret)
		ret = take(&p, "trace", &s->name);
	if (!ret)
		ret = take(&p, "kernel", &s->kernel);
	if (!ret)
		ret = number(&p, "page-size", &s->opts.page_size);
	if (!ret)
		ret = number(&p, "chain-size", &s->opts.chain_size);
	if (!ret && !s->database)
		ret = zsr_err_usage(err, "parameter database: missing");
	s->opts.name = s->name ? s->name : "trace";
	s->opts.kernel = s->kernel;
	return ret;
}

static void free_sink(struct sink *s)
{
	if (s->feed)
		zsr_feed_stop(s->feed);
	join(s);
	zsr_feed_close(s->feed);
	bt_message_iterator_put_ref(s->messages);
	free(s->database);
	free(s->name);
	free(s->kernel);
	free(s);
}

bt_component_class_initialize_method_status plugin_sink_init(
	bt_self_component_sink *self,
	bt_self_component_sink_configuration *config, const bt_value *params,
	void *data)
{
	bt_self_component *comp = bt_self_component_sink_as_self_component(self);
	struct sink *s = calloc(1, sizeof(*s));
	struct zsr_err err = { 0 };
	int ret;

	if (!s)
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	ret = parameters(s, params, &err);
	if (!ret)
		ret = zsr_feed_open(&s->feed, "the graph", &err);
	if (!ret &&
	    bt_self_component_sink_add_input_port(self, "in", NULL, NULL) !=
		    BT_SELF_COMPONENT_ADD_PORT_STATUS_OK)
		ret = zsr_err_nomem(&err, "port");
	if (ret) {
		BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(comp, "%s",
								    err.msg);
		free_sink(s);
		return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	bt_self_component_set_data(comp, s);
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

void plugin_sink_finalize(bt_self_component_sink *self)
{
	free_sink(bt_self_component_get_data(
		bt_self_component_sink_as_self_component(self)));
}

bt_component_class_sink_graph_is_configured_method_status plugin_sink_configured(
	bt_self_component_sink *self)
{
	struct sink *s = bt_self_component_get_data(
		bt_self_component_sink_as_self_component(self));

	if (bt_message_iterator_create_from_sink_component(
		    self,
		    bt_self_component_sink_borrow_input_port_by_index(self, 0),
		    &s->messages) !=
	    BT_MESSAGE_ITERATOR_CREATE_FROM_SINK_COMPONENT_STATUS_OK)
		return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_ERROR;
	if (pthread_create(&s->thread, NULL, work, s))
		return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_MEMORY_ERROR;
	s->running = true;
	return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK;
}

/* ---- messages ------------------------------------------------------------- */

static bt_component_class_sink_consume_method_status fail(
	bt_self_component_sink *self, const struct zsr_err *err)
{
	BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_COMPONENT(
		bt_self_component_sink_as_self_component(self), "%s", err->msg);
	return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
}

static bt_component_class_sink_consume_method_status end(
	bt_self_component_sink *self, struct sink *s)
{
	struct zsr_err err = { 0 };
	char count[ZSR_FMT_LEN];
	int ret = zsr_feed_end(s->feed, &err);

	if (join(s) && !ret)
		err = s->err;
	if (ret || s->ret)
		return fail(self, &err);
	printf("%s: trace %s, %s events, digest %.12s\n", s->database,
	       s->trace.name, zsr_fmt_count(count, s->trace.nr_events),
	       s->trace.digest);
	return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_END;
}

/* The thread knows better why nothing is taken any more. */
static bt_component_class_sink_consume_method_status refused(
	bt_self_component_sink *self, struct sink *s, const struct zsr_err *err)
{
	bool by_thread = zsr_feed_refused(s->feed);

	zsr_feed_stop(s->feed);
	join(s);
	return fail(self, by_thread ? &s->err : err);
}

bt_component_class_sink_consume_method_status plugin_sink_consume(
	bt_self_component_sink *self)
{
	struct sink *s = bt_self_component_get_data(
		bt_self_component_sink_as_self_component(self));
	struct zsr_err err = { 0 };
	bt_message_array_const msgs;
	uint64_t n, i;
	int ret = 0;

	switch (bt_message_iterator_next(s->messages, &msgs, &n)) {
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK:
		break;
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
		return end(self, s);
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_AGAIN;
	case BT_MESSAGE_ITERATOR_NEXT_STATUS_MEMORY_ERROR:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_MEMORY_ERROR;
	default:
		return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_ERROR;
	}
	for (i = 0; i < n; i++) {
		if (!ret)
			ret = zsr_feed_message(s->feed, msgs[i], &err);
		bt_message_put_ref(msgs[i]);
	}
	return ret ? refused(self, s, &err)
		   : BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_OK;
}
