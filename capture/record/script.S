/* SPDX-License-Identifier: GPL-2.0-only */
/* script.sh, inside the program. */
	.section .rodata
	.globl zsr_record_script
zsr_record_script:
	.incbin "capture/record/script.sh"
	.byte 0

	.section .note.GNU-stack, "", %progbits
