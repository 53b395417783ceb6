SRCS += $(wildcard db/*.c)
TEST_SRCS += $(wildcard db/t/*.c)
TEST_SCRIPTS += $(wildcard db/t/*.t)
