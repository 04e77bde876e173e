# The extension, built by PGXS. The other targets call the scripts that do the work.
#
#   make [WERROR=1] [CXX=clang++] [PG_CONFIG=...]    the library and the install script
#   make install                                     into the PostgreSQL of PG_CONFIG
#   make test | demo | lint | bench                  each on a throwaway server of its own
#   make dist                                        the archive for PGXN, of what is committed, into build/

# The install script is these topics of src/sql, in this order.
SQL_TOPICS = schema identity permission brand_key customer score access token log name planner declaration reported tenant policy protection migration privilege \
	parent view exchange mask masked_reader write catalogue signal visibility delegation erase invitation adoption adoption_reference follow follow_model adopt adopt_organizations \
	adopt_customers adopt_roles adopt_memberships adopt_access adopted explain report report_mode verify_view verify lint_table lint_function oracle \
	release guard unguard plan lint_adoption lint dump trigger inventory

EXTENSION = entitle
MODULE_big = entitle
PG_CONFIG ?= pg_config

CORE_OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/core/*.cpp)))
PG_OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/pg/*.cpp src/pg/*/*.cpp)))
OBJS = $(CORE_OBJS) $(PG_OBJS)

# The version lives in entitle.control only.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" entitle.control)
SQL_FILES = $(SQL_TOPICS:%=src/sql/%.sql)
DATA_built = entitle--$(EXTVERSION).sql
# The install scripts of released versions and the steps between them (tools/release).
DATA = $(wildcard src/sql/released/entitle--*.sql)

UNLISTED_SQL := $(filter-out $(SQL_FILES),$(wildcard src/sql/*.sql))
ifneq ($(UNLISTED_SQL),)
$(error not in SQL_TOPICS of the Makefile: $(UNLISTED_SQL))
endif

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=entitle
ISOLATION = $(sort $(patsubst tests/isolation/specs/%.spec,%,$(wildcard tests/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=tests/isolation --load-extension=entitle

# -isystem: the server's headers use `register`, an error in C++17 for clang++.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS = -std=c++17 -Wall -Wextra -Wshadow -Wno-register \
	-fvisibility=hidden -fvisibility-inlines-hidden -MMD -MP

# PostgreSQL 16 and later export by themselves; before, PGDLLEXPORT is empty and hidden visibility would hide everything.
PG_MAJOR := $(shell $(PG_CONFIG) --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
ifeq ($(shell test $(PG_MAJOR) -lt 16 && echo yes),yes)
PG_CPPFLAGS += '-DPGDLLEXPORT=__attribute__((visibility("default")))'
endif

# The server's own build hands down options of g++ that clang++ does not know.
ifneq ($(findstring clang,$(shell $(CXX) --version)),)
PG_CXXFLAGS += -Wno-unknown-warning-option
endif

ifeq ($(WERROR),1)
PG_CXXFLAGS += -Werror
endif

# A version script is of GNU ld and its like: macOS would want -exported_symbols_list.
SHLIB_LINK = -Wl,--version-script=src/pg/exports.map -lcrypto

EXTRA_CLEAN = $(OBJS:.o=.d) build

# The bitcode rule ignores PG_CXXFLAGS, and guarded entry points gain nothing from inlining.
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Link with the C++ driver, which brings the C++ library.
override COMPILER = $(CXX) $(CXXFLAGS)

# The core sees no header of the server.
src/core/%.o: override CPPFLAGS := -Isrc $(filter -D_% -W%,$(CPPFLAGS))

# The files that say the version; another version makes them anew, and no other file.
VERSIONED_OBJS = src/pg/module.o src/pg/model/version.o
$(VERSIONED_OBJS): override CPPFLAGS += '-DENTITLE_VERSION="$(EXTVERSION)"'
$(VERSIONED_OBJS): entitle.control

# CREATE only: OR REPLACE would take over an object that someone made beforehand.
$(DATA_built): $(SQL_FILES) entitle.control Makefile
	@if grep -niE 'or[[:space:]]+replace' $(SQL_FILES); then echo 'OR REPLACE in src/sql' >&2; exit 1; fi
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION entitle" to load this file. \quit'; cat $(SQL_FILES); } > $@.part
	@mv $@.part $@

.DELETE_ON_ERROR:

.PHONY: test demo lint bench dist
test:
	tests/run
demo:
	demo/run
lint:
	tools/lint
bench:
	bench/run
dist:
	tools/dist

entitle.so: src/pg/exports.map

-include $(OBJS:.o=.d)
