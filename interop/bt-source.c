// SPDX-License-Identifier: GPL-2.0-only
/* The methods of a source whose ports are traces: what libbabeltrace2 calls. */
#include <inttypes.h>
#include <string.h>

#include "interop/bt.h"

static struct zsr_bt_messages *messages_of(bt_self_message_iterator *self)
{
	return bt_self_message_iterator_get_data(self);
}

static struct zsr_bt_trace *trace_of(bt_self_message_iterator *self)
{
	return bt_self_component_port_get_data(
		bt_self_component_port_output_as_self_component_port(
			bt_self_message_iterator_borrow_port(self)));
}

static void blame(bt_self_message_iterator *self, const struct zsr_err *err)
{
	BT_CURRENT_THREAD_ERROR_APPEND_CAUSE_FROM_MESSAGE_ITERATOR(self, "%s",
								   err->msg);
}

bt_message_iterator_class_initialize_method_status zsr_bt_iterator_init(
	bt_self_message_iterator *self,
	bt_self_message_iterator_configuration *config,
	bt_self_component_port_output *port)
{
	struct zsr_bt_trace *b = bt_self_component_port_get_data(
		bt_self_component_port_output_as_self_component_port(port));
	struct zsr_bt_messages *m;

	if (zsr_bt_messages_open(&m, b, self, &b->err)) {
		blame(self, &b->err);
		return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_ERROR;
	}
	bt_self_message_iterator_set_data(self, m);
	bt_self_message_iterator_configuration_set_can_seek_forward(config,
								    BT_TRUE);
	return BT_MESSAGE_ITERATOR_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

void zsr_bt_iterator_finalize(bt_self_message_iterator *self)
{
	zsr_bt_messages_close(messages_of(self));
}

bt_message_iterator_class_next_method_status zsr_bt_iterator_next(
	bt_self_message_iterator *self, bt_message_array_const msgs,
	uint64_t capacity, uint64_t *count)
{
	struct zsr_bt_trace *b = trace_of(self);
	struct zsr_bt_messages *m = messages_of(self);
	uint64_t n = 0;
	int ret = 1;

	while (n < capacity &&
	       (ret = zsr_bt_messages_next(m, &msgs[n], &b->err)) > 0)
		n++;
	*count = n;
	if (ret < 0) {
		while (n)
			bt_message_put_ref(msgs[--n]);
		blame(self, &b->err);
		return BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_ERROR;
	}
	return n ? BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_OK
		 : BT_MESSAGE_ITERATOR_CLASS_NEXT_METHOD_STATUS_END;
}

static bool rewound(bt_self_message_iterator *self, uint64_t from_ns)
{
	struct zsr_bt_trace *b = trace_of(self);

	if (!zsr_bt_messages_rewind(messages_of(self), from_ns, &b->err))
		return true;
	blame(self, &b->err);
	return false;
}

bt_message_iterator_class_seek_beginning_method_status zsr_bt_iterator_rewind(
	bt_self_message_iterator *self)
{
	return rewound(self, 0)
		       ? BT_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHOD_STATUS_OK
		       : BT_MESSAGE_ITERATOR_CLASS_SEEK_BEGINNING_METHOD_STATUS_ERROR;
}

bt_message_iterator_class_can_seek_ns_from_origin_method_status
zsr_bt_iterator_can_seek(bt_self_message_iterator *self, int64_t ns,
			 bt_bool *can)
{
	*can = BT_TRUE;
	return BT_MESSAGE_ITERATOR_CLASS_CAN_SEEK_NS_FROM_ORIGIN_METHOD_STATUS_OK;
}

bt_message_iterator_class_seek_ns_from_origin_method_status zsr_bt_iterator_seek(
	bt_self_message_iterator *self, int64_t ns)
{
	uint64_t start = trace_of(self)->how.start_ns, at = 0;

	if (ns > 0 && (uint64_t)ns > start)
		at = (uint64_t)ns - start;
	return rewound(self, at)
		       ? BT_MESSAGE_ITERATOR_CLASS_SEEK_NS_FROM_ORIGIN_METHOD_STATUS_OK
		       : BT_MESSAGE_ITERATOR_CLASS_SEEK_NS_FROM_ORIGIN_METHOD_STATUS_ERROR;
}
