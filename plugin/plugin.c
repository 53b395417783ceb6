// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plug-in for babeltrace2: source.zsr.db, the traces of a database, and
 * sink.zsr.db, which imports what a graph gives it.
 */
#include "interop/bt.h"
#include "plugin/db.h"

BT_PLUGIN_MODULE();

BT_PLUGIN(zsr);
BT_PLUGIN_DESCRIPTION("Databases of zsr: calls of zs_malloc() and zs_free()");
BT_PLUGIN_LICENSE("GPL-2.0-only");

BT_PLUGIN_SOURCE_COMPONENT_CLASS(db, zsr_bt_iterator_next);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_DESCRIPTION(db, "Read traces of a database.");
BT_PLUGIN_SOURCE_COMPONENT_CLASS_INITIALIZE_METHOD(db, plugin_source_init);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_FINALIZE_METHOD(db, plugin_source_finalize);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_QUERY_METHOD(db, plugin_source_query);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD(
	db, zsr_bt_iterator_init);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_FINALIZE_METHOD(
	db, zsr_bt_iterator_finalize);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHODS(
	db, zsr_bt_iterator_rewind, NULL);
BT_PLUGIN_SOURCE_COMPONENT_CLASS_MESSAGE_ITERATOR_CLASS_SEEK_NS_FROM_ORIGIN_METHODS(
	db, zsr_bt_iterator_seek, zsr_bt_iterator_can_seek);

BT_PLUGIN_SINK_COMPONENT_CLASS(db, plugin_sink_consume);
BT_PLUGIN_SINK_COMPONENT_CLASS_DESCRIPTION(db,
					   "Import a trace into a database.");
BT_PLUGIN_SINK_COMPONENT_CLASS_INITIALIZE_METHOD(db, plugin_sink_init);
BT_PLUGIN_SINK_COMPONENT_CLASS_FINALIZE_METHOD(db, plugin_sink_finalize);
BT_PLUGIN_SINK_COMPONENT_CLASS_GRAPH_IS_CONFIGURED_METHOD(db,
							  plugin_sink_configured);
