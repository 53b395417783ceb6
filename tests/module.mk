TEST_SCRIPTS += $(wildcard tests/*.t)
