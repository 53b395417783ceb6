/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in replay/engine/check/kernel/, inside the program. */
	.section .rodata

	.macro file symbol:req, path:req
	.globl \symbol
\symbol:
	.incbin "\path"
	.byte 0
	.endm

	file zsr_standin_abi, "replay/engine/check/kernel/abi.h"
	file zsr_standin_base, "replay/engine/check/kernel/base.h"
	file zsr_standin_locks, "replay/engine/check/kernel/locks.h"
	file zsr_standin_memory, "replay/engine/check/kernel/memory.h"
	file zsr_standin_kernel, "replay/engine/check/kernel/kernel.h"
	file zsr_standin_loop, "replay/engine/check/kernel/loop.h"
	file zsr_standin_glue, "replay/engine/check/kernel/glue.c"

	.section .note.GNU-stack, "", %progbits
