/* SPDX-License-Identifier: GPL-2.0-only */
/* What every HTML report has in it. */
	.section .rodata

	.global zsr_report_css
	.global zsr_report_css_end
zsr_report_css:
	.incbin "report/report.css"
zsr_report_css_end:
	.byte 0

	.global zsr_report_js
	.global zsr_report_js_end
zsr_report_js:
	.incbin "report/report.js"
zsr_report_js_end:
	.byte 0

	.section .note.GNU-stack, "", %progbits
