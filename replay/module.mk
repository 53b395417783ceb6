SRCS += $(wildcard replay/*.c replay/engine/*.c replay/policy/*.c \
	replay/machine/*.c replay/machine/virtual/*.c)
TEST_SRCS += $(wildcard replay/t/*.c replay/engine/t/*.c \
	replay/machine/virtual/t/*.c)
TEST_SCRIPTS += $(wildcard replay/t/*.t replay/engine/t/*.t)
