/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to plugin/: the methods of source.zsr.db and sink.zsr.db. */
#ifndef ZSR_PLUGIN_DB_H
#define ZSR_PLUGIN_DB_H

#include <babeltrace2/babeltrace.h>

bt_component_class_initialize_method_status plugin_source_init(
	bt_self_component_source *self,
	bt_self_component_source_configuration *config, const bt_value *params,
	void *data);
void plugin_source_finalize(bt_self_component_source *self);
bt_component_class_query_method_status plugin_source_query(
	bt_self_component_class_source *self,
	bt_private_query_executor *executor, const char *object,
	const bt_value *params, void *data, const bt_value **result);

bt_component_class_initialize_method_status plugin_sink_init(
	bt_self_component_sink *self,
	bt_self_component_sink_configuration *config, const bt_value *params,
	void *data);
bt_component_class_sink_graph_is_configured_method_status plugin_sink_configured(
	bt_self_component_sink *self);
bt_component_class_sink_consume_method_status plugin_sink_consume(
	bt_self_component_sink *self);
void plugin_sink_finalize(bt_self_component_sink *self);

#endif
