SRCS += $(wildcard analyze/*.c)
TEST_SRCS += $(wildcard analyze/t/*.c)
TEST_SCRIPTS += $(wildcard analyze/t/*.t)
