// Included last by every core source file: the decisions must not know PostgreSQL.
#pragma once

#ifdef POSTGRES_H
#error "src/core must not include PostgreSQL headers"
#endif
