/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every Check program shares: one suite, its results as TAP on stdout.
 * A test file defines its cases and ends with ZSR_TEST_MAIN(name, case, ...).
 */
#ifndef ZSR_TESTS_CHECK_H
#define ZSR_TESTS_CHECK_H

#include <check.h>
#include <stdlib.h>

static inline int zsr_test_main(const char *name, const TTest *const *tests,
				size_t nr)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	size_t i;

	for (i = 0; i < nr; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_set_timeout(tcase, 300);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	i = (size_t)srunner_ntests_failed(runner);
	srunner_free(runner);
	return i ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define ZSR_TEST_MAIN(name, ...)                                               \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const tests[] = { __VA_ARGS__ };                  \
		return zsr_test_main(name, tests,                              \
				     sizeof(tests) / sizeof(tests[0]));        \
	}

#endif
