/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in profiles/, inside the program. */
	.section .rodata

	.macro file symbol:req, path:req
	.globl \symbol
	.globl \symbol\()_end
\symbol:
	.incbin "\path"
\symbol\()_end:
	.byte 0
	.endm

	file zsr_profile_rpi4b, "profiles/rpi4b.profile"
	file zsr_profile_i7_12700, "profiles/i7-12700.profile"
	file zsr_published, "profiles/published.csv"

	.section .note.GNU-stack, "", %progbits
