// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast a CTF trace is imported, into a database, beside a babeltrace2 graph
 * whose sink reads one field of each event: ctf [RECORDS]. The trace is made
 * here, two streams of perf's kind; all go over it in turn, five times each, and
 * the best counts. Bar: 80 % of the graph's rate, for zsr import and for
 * babeltrace2 with sink.zsr.db. And how fast it is exported: 1.5 M events/s.
 * ZSR_BUILD or PATH has zsr, ZSR_BUILD the plug-in.
 */
#include <babeltrace2/babeltrace.h>
#include <inttypes.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "capture/t/tinyctf.h"

#define PACKET 65536

/* ---- the trace --------------------------------------------------------- */

static uint64_t write_stream(const char *dir, unsigned cpu, uint64_t nr)
{
	struct tiny_buf b = { 0 };
	uint64_t t = 1000 + cpu, n = 0, i = 0;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/s%u", dir, cpu);
	f = fopen(path, "w");
	if (!f)
		abort();
	while (n < nr) {
		size_t at = tinyctf_open(&b, t, t, 0, cpu);

		for (; b.len < PACKET; n += 3, i++, t += 600) {
			uint32_t handle = 0x1000 + (uint32_t)(i % 4096) * 16 +
					  cpu * 8;

			tinyctf_alloc(&b, t, 32 + (uint32_t)(i * 37 % 3000),
				      handle);
			tinyctf_release(&b, t + 300, handle);
		}
		memcpy(b.p + at + 16, &t, 8); /* its end */
		tinyctf_close(&b, at);
		if (fwrite(b.p, 1, b.len, f) != b.len)
			abort();
		b.len = 0;
	}
	if (fclose(f))
		abort();
	free(b.p);
	return n;
}

/* ---- the graph --------------------------------------------------------- */

static bt_graph_simple_sink_component_consume_func_status consume(
	bt_message_iterator *it, void *ctx)
{
	bt_message_array_const msgs;
	uint64_t n, i, *sum = ctx;

	if (bt_message_iterator_next(it, &msgs, &n) !=
	    BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
		return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END;
	for (i = 0; i < n; i++) {
		if (bt_message_get_type(msgs[i]) == BT_MESSAGE_TYPE_EVENT)
			*sum += bt_field_integer_unsigned_get_value(
				bt_field_structure_borrow_member_field_by_index_const(
					bt_event_borrow_payload_field_const(
						bt_message_event_borrow_event_const(
							msgs[i])),
					0));
		bt_message_put_ref(msgs[i]);
	}
	return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

static void check(int status)
{
	if (status)
		_exit(4);
}

static void graph(const char *dir)
{
	const bt_component_source *source;
	const bt_component_filter *muxer;
	const bt_component_sink *sink;
	const bt_plugin *ctf = NULL, *utils = NULL;
	bt_graph *g = bt_graph_create(0);
	bt_value *params = bt_value_map_create(), *inputs;
	uint64_t sum = 0, i;

	check(bt_plugin_find("ctf", BT_FALSE, BT_FALSE, BT_TRUE, BT_FALSE,
			     BT_FALSE, &ctf));
	check(bt_plugin_find("utils", BT_FALSE, BT_FALSE, BT_TRUE, BT_FALSE,
			     BT_FALSE, &utils));
	check(bt_value_map_insert_empty_array_entry(params, "inputs", &inputs));
	check(bt_value_array_append_string_element(inputs, dir));
	check(bt_graph_add_source_component(
		g,
		bt_plugin_borrow_source_component_class_by_name_const(ctf,
								      "fs"),
		"source", params, BT_LOGGING_LEVEL_NONE, &source));
	check(bt_graph_add_filter_component(
		g,
		bt_plugin_borrow_filter_component_class_by_name_const(utils,
								      "muxer"),
		"muxer", NULL, BT_LOGGING_LEVEL_NONE, &muxer));
	check(bt_graph_add_simple_sink_component(g, "sink", NULL, consume, NULL,
						 &sum, &sink));
	for (i = 0; i < bt_component_source_get_output_port_count(source); i++)
		check(bt_graph_connect_ports(
			g,
			bt_component_source_borrow_output_port_by_index_const(
				source, i),
			bt_component_filter_borrow_input_port_by_index_const(
				muxer, i),
			NULL));
	check(bt_graph_connect_ports(
		g,
		bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
		bt_component_sink_borrow_input_port_by_index_const(sink, 0),
		NULL));
	check(bt_graph_run(g));
	_exit(!sum);
}

/* ---- both, in turn ------------------------------------------------------ */

/* PATH of what the trace becomes, beside it. */
static const char *beside(const char *dir, const char *what)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/../%s", dir, what);
	return path;
}

static void run_zsr(char *const argv[])
{
	const char *build = getenv("ZSR_BUILD");
	char zsr[512];

	snprintf(zsr, sizeof(zsr), "%s%szsr", build ? build : "",
		 build ? "/" : "");
	if (!freopen("/dev/null", "w", stdout))
		_exit(4);
	execvp(zsr, argv);
	_exit(4);
}

static void import(const char *dir)
{
	run_zsr((char *[]){ "zsr", "import", "-d", (char *)beside(dir, "i.db"),
			    "-n", "t", (char *)dir, NULL });
}

static void export(const char *dir)
{
	char db[256];

	snprintf(db, sizeof(db), "%s", beside(dir, "i.db"));
	run_zsr((char *[]){ "zsr", "export", "-d", db, "t", "-o",
			    (char *)beside(dir, "e.ctf"), NULL });
}

static void sink(const char *dir)
{
	const char *build = getenv("ZSR_BUILD");
	char params[300];

	snprintf(params, sizeof(params), "--params=database=\"%s\"",
		 beside(dir, "s.db"));
	setenv("BABELTRACE_PLUGIN_PATH", build ? build : ".", 1);
	if (!freopen("/dev/null", "w", stdout))
		_exit(4);
	execlp("babeltrace2", "babeltrace2", dir, "--component=sink.zsr.db",
	       params, (char *)NULL);
	_exit(4);
}

/* Seconds that it took a process. */
static double took(void (*fn)(const char *dir), const char *dir)
{
	uint64_t start = zsr_clock_ns();
	int status;
	pid_t pid = fork();

	if (!pid)
		fn(dir);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "ctf: a process failed\n");
		exit(4);
	}
	return (double)(zsr_clock_ns() - start) / 1e9;
}

static const struct {
	void (*fn)(const char *dir);
	const char *name, *ratio;
} runs[] = {
	{ graph, "babeltrace2 graph, one field", NULL },
	{ import, "import of CTF", "import / babeltrace2 graph" },
	{ sink, "babeltrace2, sink.zsr.db", "sink.zsr.db / babeltrace2 graph" },
	{ export, "export as CTF", NULL },
};

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1500000, n;
	char top[] = "/tmp/zsr-ctf-XXXXXX", dir[64], cmd[128];
	double rate;
	double best[4] = { 1e9, 1e9, 1e9, 1e9 };
	int i;
	unsigned k;

	if (!mkdtemp(top))
		return 4;
	tiny_sub(top, "trace");
	snprintf(dir, sizeof(dir), "%s/trace", top);
	tiny_file(dir, "metadata", tinyctf_metadata, strlen(tinyctf_metadata));
	n = write_stream(dir, 0, records / 2) +
	    write_stream(dir, 1, records / 2);
	for (i = 0; i < 5; i++) {
		for (k = 0; k < ZSR_ARRAY_SIZE(best); k++) {
			double s = took(runs[k].fn, dir);

			best[k] = zsr_min(best[k], s);
		}
		snprintf(cmd, sizeof(cmd), "rm -rf %s/[ise].*", top);
		if (system(cmd))
			return 4;
	}
	tiny_rmdir(top);
	for (k = 0; k < ZSR_ARRAY_SIZE(best) - 1; k++)
		printf("%-34s %9.2f M records/s\n", runs[k].name,
		       (double)n / best[k] / 1e6);
	for (k = 1; k < ZSR_ARRAY_SIZE(best) - 1; k++)
		printf("%-34s %9.2f times    >= 0.8   %s\n", runs[k].ratio,
		       best[0] / best[k],
		       best[0] / best[k] >= 0.8 ? "holds" : "FAILS");
	/* An event of a malloc is made of two records. */
	rate = (double)n / 3 * 2 / best[3] / 1e6;
	printf("%-34s %9.2f M events/s >= 1.5  %s\n", runs[3].name, rate,
	       rate >= 1.5 ? "holds" : "FAILS");
	return 0;
}
