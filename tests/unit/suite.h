/*
 * suite.h - how every unit test program ends.
 */
#ifndef SALLYPORT_TESTS_SUITE_H
#define SALLYPORT_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Run all tests of a suite (taken over): the program's exit status. */
static inline int
suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
