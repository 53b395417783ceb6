# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard report/*.c report/*.S)
TEST_SRCS += $(wildcard report/t/*.c)
TEST_SCRIPTS += $(wildcard report/t/*.t)
BENCH_SRCS += $(wildcard report/bench/*.c)

$(O)/report/embed.o: report/report.css report/report.js

# The test of HTML reports in a browser, which `make check` skips without one.
check-html: all
	$(Q)command -v chromium >/dev/null || \
		apt-get install -y -qq --no-install-recommends chromium
	$(Q)ZSR_BUILD=$(abspath $(O)) tests/run.sh report/t/html.t
.PHONY: check-html
