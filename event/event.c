// SPDX-License-Identifier: GPL-2.0-only
#include "event/event.h"

static const char *const kind_names[ZSR_EV_NR] = {
	[ZSR_EV_MALLOC] = "malloc",       [ZSR_EV_FREE] = "free",
	[ZSR_EV_COMPACT] = "compact",     [ZSR_EV_PAGE_FREE] = "page_free",
	[ZSR_EV_LOCK_WAIT] = "lock_wait", [ZSR_EV_MARK] = "mark",
};

static const char *const caller_names[ZSR_CALLER_NR] = {
	[ZSR_CALLER_UNKNOWN] = "unknown",
	[ZSR_CALLER_SWAP_RELEASE] = "swap_release",
	[ZSR_CALLER_OVERWRITE] = "overwrite",
	[ZSR_CALLER_DISCARD] = "discard",
	[ZSR_CALLER_RESET] = "reset",
	[ZSR_CALLER_RECOMPRESS] = "recompress",
	[ZSR_CALLER_ZSWAP_INVALIDATE] = "zswap_invalidate",
	[ZSR_CALLER_ZSWAP_LOAD] = "zswap_load",
	[ZSR_CALLER_ZSWAP_WRITEBACK] = "zswap_writeback",
};

const char *zsr_event_kind_name(unsigned kind)
{
	return kind < ZSR_EV_NR ? kind_names[kind] : NULL;
}

const char *zsr_caller_name(unsigned caller)
{
	return caller < ZSR_CALLER_NR ? caller_names[caller] : NULL;
}
