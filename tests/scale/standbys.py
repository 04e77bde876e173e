"""Streaming standbys: one of the primary, one of that standby. Reads by sign-in, token and mapped role, prepared and not, under changes."""
import sys
import time

from history import PROTECT, ROLES, SETUP, WORLD, run_history
from servers import servers
from table import write_table

seconds, seed = float(sys.argv[1]), int(sys.argv[2])
with servers() as make:
    primary = make('primary').init().start()
    for text in (ROLES, SETUP, WORLD, PROTECT):
        primary.execute(text)
    first = make('standby').copy_of(primary, 'hot_standby_feedback = on\nmax_standby_streaming_delay = 1s').start()
    second = make('cascaded').copy_of(first, 'hot_standby_feedback = off\nmax_standby_streaming_delay = 1s').start()
    rows = run_history(primary.connect, [('primary', primary.connect), ('standby', first.connect), ('cascaded standby', second.connect)],
                       seconds, seed)

    # What a client does who must see its own change: waits until the place reached at its commit is replayed.
    waits = []
    with primary.connect() as writer, second.connect('mapped1') as reader:
        for turn in range(200):
            level = ('L20', 'L40')[turn % 2]
            writer.execute("INSERT INTO entitle.external_access (user_id, customer_id, role) VALUES (1, 1, %s)"
                           " ON CONFLICT (customer_id, user_id) DO UPDATE SET role = excluded.role", (level,))
            writer.execute('UPDATE entitle.app_user SET is_active = true WHERE user_id = 1')
            place = writer.execute('SELECT pg_current_wal_flush_lsn()::text, pg_current_wal_insert_lsn()::text').fetchone()[1]
            begun = time.monotonic()
            if reader.info.server_version >= 190000:
                reader.execute(f"WAIT FOR LSN '{place}'")
            else:
                while not reader.execute('SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn', (place,)).fetchone()[0]:
                    time.sleep(0.001)
            waits.append(time.monotonic() - begun)
            assert reader.execute('SELECT entitle.access_level(1)').fetchone()[0] == int(level[1:]), 'its own change does not hold'
    waits.sort()
    write_table('standbys', seed, rows, {'own changes awaited on the cascaded standby': len(waits),
                                         'median wait in ms': round(waits[len(waits) // 2] * 1000, 1), 'longest in ms': round(waits[-1] * 1000, 1)})
