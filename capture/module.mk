SRCS += $(wildcard capture/*.c capture/decode/*.c)
TEST_SRCS += $(wildcard capture/t/*.c)
TEST_SCRIPTS += $(wildcard capture/t/*.t)
