// SPDX-License-Identifier: GPL-2.0-only
/* The layout of a trace.dat, version 6, as trace-cmd.dat.v6(5) describes it. */
#include <endian.h>
#include <string.h>

#include "capture/write/write.h"

static const char header_event_64[] = "# compressed entry header\n"
				      "\ttype_len    :    5 bits\n"
				      "\ttime_delta  :   27 bits\n"
				      "\tarray       :   32 bits\n\n"
				      "\tpadding     : type == 29\n"
				      "\ttime_extend : type == 30\n"
				      "\ttime_stamp : type == 31\n"
				      "\tdata max type_len  == 28\n";

void wr_num(FILE *f, uint64_t v, size_t size)
{
	v = htole64(v);
	fwrite(&v, size, 1, f);
}

void wr_text(FILE *f, const char *s, size_t len, size_t size_of_len)
{
	wr_num(f, len, size_of_len);
	fwrite(s, len, 1, f);
}

void wr_head(FILE *f, unsigned page_size, const char *header_page,
	     const char *header_event)
{
	char page[500];

	snprintf(page, sizeof(page),
		 "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		 "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
		 "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
		 "\tfield: char data;\toffset:16;\tsize:%u;\tsigned:0;\n",
		 page_size - 16);
	if (!header_page)
		header_page = page;
	if (!header_event)
		header_event = header_event_64;
	fwrite("\x17\x08\x44tracing6", 12, 1, f);
	wr_num(f, 0, 1); /* little-endian */
	/* Bytes of a long: those of the commit word. */
	wr_num(f, strstr(header_page, "commit;\toffset:8;\tsize:4;") ? 4 : 8, 1);
	wr_num(f, page_size, 4);
	fwrite("header_page", 12, 1, f);
	wr_text(f, header_page, strlen(header_page), 8);
	fwrite("header_event", 13, 1, f);
	wr_text(f, header_event, strlen(header_event), 8);
}

void wr_options(FILE *f)
{
	fwrite("options  ", 10, 1, f);
}

void wr_option(FILE *f, unsigned id, const char *s)
{
	wr_num(f, id, 2);
	wr_text(f, s, strlen(s) + 1, 4);
}

void wr_options_end(FILE *f)
{
	wr_num(f, 0, 2);
}

void wr_places(FILE *f, unsigned page_size, const struct wr_cpu *cpu,
	       unsigned nr, uint64_t head_len)
{
	uint64_t page = page_size, end = head_len + 10 + 16ull * nr;
	uint64_t at = (end + page - 1) / page * page;
	unsigned i;

	fwrite("flyrecord", 10, 1, f);
	for (i = 0; i < nr; i++) {
		wr_num(f, at, 8);
		wr_num(f, cpu[i].nr_pages * page, 8);
		at += cpu[i].nr_pages * page;
	}
	for (; end % page; end++)
		putc(0, f);
}
