/* SPDX-License-Identifier: GPL-2.0-only */
/* The shipped machine profiles, as they stand in profiles/. */
	.section .rodata
	.globl zsr_profile_rpi4b
	.globl zsr_profile_rpi4b_end
zsr_profile_rpi4b:
	.incbin "profiles/rpi4b.profile"
zsr_profile_rpi4b_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
