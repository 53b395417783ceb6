// SPDX-License-Identifier: GPL-2.0-only
/* Command lines that make a run and a comparison again. */
#include <inttypes.h>
#include <string.h>

#include "report/page.h"

/* A word as a shell takes it. */
static void quote(FILE *f, const char *s)
{
	const char *p;

	if (*s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
			       "UVWXYZ0123456789_-+=./,:@%")]) {
		fputs(s, f);
		return;
	}
	fputc('\'', f);
	for (p = s; *p; p++)
		fputs(*p == '\'' ? "'\\''" : (char[]){ *p, '\0' }, f);
	fputc('\'', f);
}

static void put_db(FILE *f, const char *db)
{
	if (!db)
		return;
	fputs(" -d ", f);
	quote(f, db);
}

static void each_word(FILE *f, const char *before, const char *words)
{
	char word[600];
	size_t n;

	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		n = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		fprintf(f, "%s ", before);
		quote(f, word);
		words += n;
	}
}

/* A plug-in's run knows the policy's name and the file's digest, not its path:
 * the file is most likely named after the policy. */
static void put_policy(FILE *f, const struct zsr_column *col)
{
	const char *digest = strstr(col->params, "plugin=");
	char path[128];

	if (digest && (digest == col->params || digest[-1] == ' '))
		snprintf(path, sizeof(path), "./%s.so", col->policy);
	else
		snprintf(path, sizeof(path), "%s", col->policy);
	quote(f, path);
}

/* The command line that plays a run again, for a shell. */
void replay_command(FILE *f, const struct zsr_compare *cmp,
		    const struct zsr_report_opts *opts,
		    const struct zsr_column *col)
{
	bool host = !strcmp(cmp->clock, "host");

	fputs("zsr replay ", f);
	quote(f, cmp->trace);
	put_db(f, opts->db_path);
	fputs(" --policy ", f);
	put_policy(f, col);
	if (host) {
		fprintf(f, " --clock host --cpus %" PRIu32 " --arrival ",
			col->cpus);
		quote(f, col->arrival);
	} else {
		fputs(" --machine ", f);
		quote(f, col->profile);
		fprintf(f, " --cpus %" PRIu32 " --seed %" PRIu64 " --arrival ",
			col->cpus, col->seed);
		quote(f, col->arrival);
		fputs(" --gaps ", f);
		quote(f, col->gaps);
	}
	if (*col->outer_lock) {
		fputs(" --outer-lock ", f);
		quote(f, col->outer_lock);
	}
	each_word(f, "", col->conditions);
	each_word(f, " --param", col->params);
}

/* The commands that print and draw this comparison from the database. */
void other_commands(FILE *f, const struct zsr_compare *cmp,
		    const struct zsr_report_opts *opts, const char *verb)
{
	size_t i;

	fprintf(f, "zsr %s", verb);
	put_db(f, opts->db_path);
	for (i = 0; i < cmp->nr_cols; i++)
		if (cmp->col[i].id)
			fprintf(f, " %" PRId64, cmp->col[i].id);
}
