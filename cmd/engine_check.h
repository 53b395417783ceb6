/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine against a kernel tree, as a command. */
#ifndef ZSR_CMD_ENGINE_CHECK_H
#define ZSR_CMD_ENGINE_CHECK_H

#include "cmd/cmd.h"

extern const struct poptOption zsr_engine_check_options[];

/* 0, 1 when there is a difference, or -errno. */
int zsr_engine_check(struct zsr_options *o, struct zsr_err *err);

#endif
