// SPDX-License-Identifier: GPL-2.0-only
/* Reports of anything a database can hold: every figure is drawn or named as
 * left out, numbers in the PDF's text are those of the runs, bytes repeat. */
#include <cairo.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyze/t/runs.h"
#include "report/report.h"
#include "tests/check.h"

/* All but g9, for which no run differs in one parameter. */
#define ALL_FIGURES ((2u << 12) - 2 - ZSR_FIGURE(9))

/* fontconfig keeps its own to the end; what is ours is freed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig.so\n";
}

const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

#define MOST_BYTES (16u << 20)

static char dir[] = "/tmp/zsr-report-XXXXXX";

static char *in_dir(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void setup(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlink(in_dir(e->d_name));
	if (d)
		closedir(d);
	rmdir(dir);
}

static struct zsr_analysis analyze(struct zsr_run **runs, size_t nr)
{
	const struct zsr_trace **traces = calloc(nr, sizeof(*traces));
	struct zsr_analyze_opts opts = { .nr_px = ZSR_REPORT_NR_PX };
	struct zsr_trace t = made_trace();
	struct zsr_analysis a;
	struct zsr_err err = { 0 };
	size_t i;

	for (i = 0; i < nr; i++)
		traces[i] = &t;
	ck_assert_msg(!zsr_analyze((const struct zsr_run *const *)runs, traces,
				   nr, &opts, &a, &err),
		      "%s", err.msg);
	free(traces);
	return a;
}

static struct zsr_report_result write_report(const struct zsr_analysis *a,
					     const char *name,
					     struct zsr_report_opts opts)
{
	struct zsr_report_result res;
	struct zsr_err err = { 0 };

	ck_assert(zsr_report_format(strrchr(name, '.') + 1, &opts.format));
	ck_assert_msg(!zsr_report_write(a, in_dir(name), &opts, &res, &err),
		      "%s", err.msg);
	return res;
}

/* What a command prints, up to 1 MiB. */
static char *output_of(const char *command)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = popen(command, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, (1 << 20) - 1, f);
	text[n] = '\0';
	ck_assert_int_eq(pclose(f), 0);
	return text;
}

static char *text_of(const char *name)
{
	char command[400];

	snprintf(command, sizeof(command), "pdftotext -layout '%s' -",
		 in_dir(name));
	return output_of(command);
}

static size_t read_all(const char *name, char **data)
{
	FILE *f = fopen(in_dir(name), "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	*data = malloc(MOST_BYTES);
	n = fread(*data, 1, MOST_BYTES, f);
	fclose(f);
	return n;
}

static void policies(struct zsr_run **r, size_t nr)
{
	char name[100];
	size_t i;

	r[0] = made_policy("sync", "", 12000000, 12000000, 0, 0);
	for (i = 1; i < nr; i++) {
		snprintf(name, sizeof(name), "policy-number-%zu-%.*s", i,
			 (int)(4 * i % 60),
			 "with-a-name-that-never-seems-to-end");
		r[i] = made_policy(name, "pool-pages=64", 4000000 + i * 500000,
				   14000000 + i * 300000, 40000 + i * 100,
				   i == 2 ? 512 : 0);
		r[i]->id = (int64_t)i;
	}
	for (i = 0; i < nr; i++)
		made_details(r[i]);
}

/* Every stored integer of every run stands in the text, beside its name and
 * in the order of the runs; the words of the table do too. */
START_TEST(numbers)
{
	struct zsr_run *r[4];
	struct zsr_analysis a;
	struct zsr_report_result res;
	char *text, *line, *stored;
	size_t i, k;

	policies(r, 4);
	a = analyze(r, 4);
	res = write_report(&a, "n.pdf", (struct zsr_report_opts){ 0 });
	ck_assert_uint_eq(res.figures, ALL_FIGURES);
	text = text_of("n.pdf");
	stored = strstr(text, "Every value as it is stored");
	ck_assert_ptr_nonnull(stored);
	for (i = 0; i < zsr_nr_values(); i++) {
		char row[ZSR_FMT_LEN + 1];

		snprintf(row, sizeof(row), "\n%s ", zsr_value_info(i)->name);
		line = strstr(stored, row);
		ck_assert_msg(line != NULL, "no %s", row + 1);
		line += strlen(row);
		for (k = 0; k < 4; k++) {
			char want[ZSR_FMT_LEN], got[ZSR_FMT_LEN];
			int n = 0;

			zsr_value_print(want, i, a.cmp[0].col[k].value[i]);
			ck_assert_int_eq(sscanf(line, "%31s%n", got, &n), 1);
			ck_assert_str_eq(got, want);
			line += n;
		}
	}
	for (i = 0; i < a.cmp[0].nr_rows; i++)
		for (k = 0; a.cmp[0].row[i].cell && k < 4; k++)
			ck_assert_msg(strstr(text, a.cmp[0].row[i].cell[k]) !=
					      NULL,
				      "no %s", a.cmp[0].row[i].cell[k]);
	ck_assert_ptr_nonnull(strstr(text, r[0]->digest));
	ck_assert_ptr_nonnull(strstr(text, "zsr compare 1 2 3"));
	ck_assert_ptr_nonnull(strstr(text, "virtual clock, profile rpi4b"));
	free(text);
	zsr_lines_free(&res.left_out);
	zsr_analysis_free(&a);
	for (i = 0; i < 4; i++)
		made_free(r[i]);
}
END_TEST

/* g1 is one page on any paper: all of 13 policies are on it, of 40 runs as many
 * as there is room for and the number of the others. */
START_TEST(one_page)
{
	static const size_t counts[] = { 1, 5, 13, 40 };
	size_t nr = counts[_i / 3], shown = 0, left = 0, i;
	struct zsr_run *r[40];
	struct zsr_analysis a;
	struct zsr_report_result res;
	char *text, *at, name[40];

	policies(r, nr);
	for (i = 0; i < nr; i++)
		r[i]->id = (int64_t)i + 100;
	a = analyze(r, nr);
	res = write_report(&a, "o.pdf",
			   (struct zsr_report_opts){
				   .only = ZSR_FIGURE(1),
				   .paper = (enum zsr_report_paper)(_i % 3) });
	ck_assert_uint_eq(res.nr_pages, 1);
	zsr_lines_free(&res.left_out);
	text = text_of("o.pdf");
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "#%zu ", i + 100);
		shown += strstr(text, name) != NULL;
	}
	at = strstr(text, " more runs are left out here");
	if (at) {
		while (at > text && at[-1] >= '0' && at[-1] <= '9')
			at--;
		left = strtoul(at, NULL, 10);
	}
	ck_assert_uint_eq(shown + left, nr);
	ck_assert_uint_ge(shown, zsr_min(nr, 13u));
	ck_assert_ptr_nonnull(strstr(text, "How far to believe it"));
	ck_assert_ptr_nonnull(strstr(text, "The trace, and the machine"));
	free(text);
	zsr_analysis_free(&a);
	for (i = 0; i < nr; i++)
		made_free(r[i]);
}
END_TEST

/* Axes carry their unit, panels their policy, marks their names. */
START_TEST(words)
{
	static const char *const want[] = {
		"MiB",
		"ms since the first release began, virtual clock",
		"mean return",
		"last return",
		"90 %",
		"held back",
		"p99.9",
		"one free, virtual clock",
		"thousand entries",
		/* g3 */
		"us",
		"releases in 131 us and a quarter of an octave",
		"longest",
		/* g5 */
		"workers free",
		"of all CPUs' time: callers free",
		/* g6 */
		"callers free",
		"callers wait",
		"ms, CPU time, virtual clock",
		"without other load",
		/* g7 */
		"classes of 640 to",
		"fragmentation",
		/* g8 */
		"waited for",
		"all class locks",
		"class 4096",
		"ms, of all CPUs and tasks, virtual clock",
		/* g10 */
		"obj_free",
		"object, handle",
		/* g11 */
		"the times of the capture are an emulator's",
		"What the modelled times rest on",
	};
	struct zsr_run *r[3];
	struct zsr_analysis a;
	struct zsr_report_result res;
	char *text;
	size_t i;

	policies(r, 3);
	a = analyze(r, 3);
	res = write_report(&a, "w.pdf",
			   (struct zsr_report_opts){ .title = "A \xff title" });
	text = text_of("w.pdf");
	for (i = 0; i < ZSR_ARRAY_SIZE(want); i++)
		ck_assert_msg(strstr(text, want[i]) != NULL, "no %s", want[i]);
	ck_assert_ptr_nonnull(strstr(text, "A \xef\xbf\xbd title"));
	free(text);
	zsr_lines_free(&res.left_out);
	zsr_analysis_free(&a);
	for (i = 0; i < 3; i++)
		made_free(r[i]);
}
END_TEST

/* One to thirteen policies, in all formats, twice with the same bytes. Each is
 * drawn by a process of its own, as the command does: cairo numbers what it
 * makes through a process's whole life. */
START_TEST(bytes)
{
	static const char *const formats[] = { "pdf", "svg", "png", "txt",
					       "html" };
	static const size_t counts[] = { 1, 3, 13 };
	size_t nr = counts[_i / 5], i, n[2];
	const char *format = formats[_i % 5];
	struct zsr_report_opts opts = { .dated = true, .created_s = 86400 };
	struct zsr_run *r[13];
	struct zsr_analysis a;
	char name[2][20], *data[2];

	policies(r, nr);
	a = analyze(r, nr);
	for (i = 0; i < 2; i++) {
		struct zsr_report_result res;
		int status;
		pid_t pid;

		snprintf(name[i], sizeof(name[i]), "%zu.%s", i, format);
		pid = fork();
		if (!pid) {
			res = write_report(&a, name[i], opts);
			_exit(res.figures != ALL_FIGURES);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		n[i] = read_all(name[i], &data[i]);
	}
	ck_assert_uint_eq(n[0], n[1]);
	ck_assert_int_eq(memcmp(data[0], data[1], n[0]), 0);
	ck_assert_uint_lt(n[0], 1000000);
	free(data[0]);
	free(data[1]);
	zsr_analysis_free(&a);
	for (i = 0; i < nr; i++)
		made_free(r[i]);
}
END_TEST

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* An SVG's words are words, ids are there once, numbers have one decimal; a
 * PNG has a palette, can be read, and is white with the figures' colours. */
START_TEST(pictures)
{
	struct zsr_report_opts opts = { .only = ZSR_FIGURE(2) };
	struct zsr_report_result res;
	struct zsr_run *r[3];
	struct zsr_analysis a;
	cairo_surface_t *s;
	char *svg, *png, *d;
	size_t n, white = 0, live = 0;
	int x, y;

	policies(r, 3);
	a = analyze(r, 3);
	res = write_report(&a, "p.svg", opts);
	zsr_lines_free(&res.left_out);
	n = read_all("p.svg", &svg);
	svg[n] = '\0';
	ck_assert_ptr_nonnull(strstr(svg, ">held back</text>"));
	ck_assert_ptr_null(strstr(svg, "NaN"));
	ck_assert_uint_eq(count(svg, "id=\"t1-g2\""), 1);
	ck_assert_uint_eq(count(svg, "<g"), count(svg, "</g>"));
	for (d = svg; (d = strstr(d, " d=\""));) {
		for (d += 4; *d != '"'; d++)
			ck_assert(*d != '.' || d[1] < '0' || d[1] > '9' ||
				  d[2] < '0' || d[2] > '9');
	}
	res = write_report(&a, "p.png", opts);
	zsr_lines_free(&res.left_out);
	n = read_all("p.png", &png);
	ck_assert_uint_gt(n, 40);
	ck_assert_int_eq(png[25], 3);
	s = cairo_image_surface_create_from_png(in_dir("p.png"));
	ck_assert_int_eq(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
	for (y = 0; y < cairo_image_surface_get_height(s); y++)
		for (x = 0; x < cairo_image_surface_get_width(s); x++) {
			const unsigned char *px =
				cairo_image_surface_get_data(s) +
				(size_t)y *
					(size_t)cairo_image_surface_get_stride(
						s) +
				(size_t)x * 4;

			white += px[0] == 255 && px[1] == 255 && px[2] == 255;
			live += px[2] < 3 && abs(px[1] - 114) < 3 &&
				abs(px[0] - 178) < 3;
		}
	ck_assert_uint_gt(white, 500000);
	ck_assert_uint_gt(live, 10000);
	cairo_surface_destroy(s);
	free(svg);
	free(png);
	zsr_analysis_free(&a);
	for (n = 0; n < 3; n++)
		made_free(r[n]);
}
END_TEST

/* The date is the given one, or there is none. */
START_TEST(dates)
{
	struct zsr_run *r[2];
	struct zsr_analysis a;
	struct zsr_report_result res;
	char command[400], *info;

	policies(r, 2);
	a = analyze(r, 2);
	res = write_report(
		&a, "d.pdf",
		(struct zsr_report_opts){ .dated = true, .created_s = 86400 });
	zsr_lines_free(&res.left_out);
	snprintf(command, sizeof(command), "TZ=UTC pdfinfo '%s'",
		 in_dir("d.pdf"));
	info = output_of(command);
	ck_assert_ptr_nonnull(strstr(info, "Jan  2 00:00:00 1970"));
	ck_assert_ptr_nonnull(strstr(info, "zsr: munmap"));
	snprintf(command, sizeof(command), "Pages:           %u\n",
		 res.nr_pages);
	ck_assert_ptr_nonnull(strstr(info, command));
	free(info);
	res = write_report(&a, "d.pdf", (struct zsr_report_opts){ 0 });
	zsr_lines_free(&res.left_out);
	snprintf(command, sizeof(command), "pdfinfo '%s'", in_dir("d.pdf"));
	info = output_of(command);
	ck_assert_ptr_null(strstr(info, "CreationDate"));
	free(info);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

/* Nothing at all: what cannot be filled is left out and named. */
START_TEST(empty)
{
	struct zsr_run *r = made_run("sync", "");
	struct zsr_analysis a = analyze(&r, 1);
	struct zsr_report_opts opts = { .only = ZSR_FIGURE(2) };
	struct zsr_report_result res;
	struct zsr_err err = { 0 };

	res = write_report(&a, "e.pdf", (struct zsr_report_opts){ 0 });
	ck_assert_uint_eq(res.figures,
			  ZSR_FIGURE(1) | ZSR_FIGURE(11) | ZSR_FIGURE(12));
	ck_assert_uint_eq(res.left_out.nr, 9);
	ck_assert_ptr_nonnull(strstr(res.left_out.line[0], "g2 of munmap"));
	zsr_lines_free(&res.left_out);
	/* Asked for nothing else there is no report, and no file. */
	ck_assert_int_lt(
		zsr_report_write(&a, in_dir("f.pdf"), &opts, &res, &err), 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_int_ne(access(in_dir("f.pdf"), F_OK), 0);
	zsr_analysis_free(&a);
	made_free(r);
}
END_TEST

/* Random numbers in every field of up to 13 runs: it draws, and what it draws
 * can be read. */
START_TEST(random_runs)
{
	static const char *const names[] = { "r.pdf", "r.svg", "r.pdf", "r.png",
					     "r.pdf", "r.txt", "r.pdf", "r.html" };
	struct zsr_rng rng = { (uint64_t)_i + 1000 };
	size_t nr = 1 + zsr_rng_below(&rng, 13), i;
	struct zsr_run *r[13];
	struct zsr_analysis a;
	struct zsr_report_result res;

	for (i = 0; i < nr; i++)
		r[i] = made_random(&rng);
	a = analyze(r, nr);
	res = write_report(&a, names[_i % 8], (struct zsr_report_opts){ 0 });
	ck_assert_uint_gt(res.nr_pages, 1);
	if (_i % 2 == 0) {
		char *text = text_of("r.pdf");

		ck_assert_ptr_nonnull(strstr(text, "caller time of a task"));
		ck_assert_ptr_null(strstr(text, "Summary (continued)"));
		free(text);
	}
	zsr_lines_free(&res.left_out);
	zsr_analysis_free(&a);
	for (i = 0; i < nr; i++)
		made_free(r[i]);
}
END_TEST

/* A file that cannot be written is a system error and leaves nothing behind;
 * a device is written to, not replaced; a link's target is. */
START_TEST(files)
{
	struct zsr_report_opts opts = { 0 };
	struct zsr_report_result res;
	struct zsr_err err = { 0 };
	struct zsr_run *r[2];
	struct zsr_analysis a;
	struct dirent *e;
	struct stat st;
	int nr = 0;
	DIR *d;

	policies(r, 2);
	a = analyze(r, 2);
	ck_assert_int_lt(
		zsr_report_write(&a, in_dir("no/such.pdf"), &opts, &res, &err),
		0);
	ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(err.msg, "no/such.pdf: "));
	ck_assert(!zsr_report_write(&a, "/dev/null", &opts, &res, &err));
	zsr_lines_free(&res.left_out);
	ck_assert(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
	ck_assert_int_lt(zsr_report_write(&a, "/dev/full", &opts, &res, &err),
			 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_SYSTEM);
	ck_assert(!symlink("target.pdf", in_dir("link.pdf")));
	res = write_report(&a, "target.pdf", opts);
	zsr_lines_free(&res.left_out);
	res = write_report(&a, "link.pdf", opts);
	zsr_lines_free(&res.left_out);
	ck_assert(!lstat(in_dir("link.pdf"), &st) && S_ISLNK(st.st_mode));
	for (d = opendir(dir); (e = readdir(d));)
		nr += e->d_name[0] != '.';
	closedir(d);
	ck_assert_int_eq(nr, 2);
	zsr_analysis_free(&a);
	made_free(r[0]);
	made_free(r[1]);
}
END_TEST

START_TEST(figure_lists)
{
	struct zsr_err err = { 0 };
	unsigned f;

	ck_assert(!zsr_report_figures("g2,g12", &f, &err));
	ck_assert_uint_eq(f, ZSR_FIGURE(2) | ZSR_FIGURE(12));
	ck_assert(zsr_report_figures("g2,g99", &f, &err));
	ck_assert_int_eq(err.kind, ZSR_ERR_USAGE);
	ck_assert(zsr_report_figures("", &f, &err));
	ck_assert(zsr_report_figures("g1,,g2", &f, &err));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, words);
	tcase_add_loop_test(tcase, one_page, 0, 12);
	tcase_add_loop_test(tcase, bytes, 0, 15);
	tcase_add_test(tcase, pictures);
	tcase_add_test(tcase, dates);
	tcase_add_test(tcase, empty);
	tcase_add_loop_test(tcase, random_runs, 0, 16);
	tcase_add_test(tcase, files);
	tcase_add_test(tcase, figure_lists);
	suite_add_tcase(suite, tcase);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
