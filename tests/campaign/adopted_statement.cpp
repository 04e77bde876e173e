#include "adopted_statement.hpp"

#include <vector>

namespace entitle::campaign {

namespace {

std::string number(int value) { return std::to_string(value); }
std::string quoted(const std::string &text) { return "'" + text + "'"; }
std::string truth(bool value) { return value ? "true" : "false"; }

std::string person(Dice &dice) { return number(1 + dice.below(14)); }
std::string account_number(Dice &dice) { return number(1 + dice.below(12)); }
std::string store(Dice &dice) { return number(101 + dice.below(8)); }
std::string post(Dice &dice) { return number(1 + dice.below(12)); }
std::string team(Dice &dice) { return "'t" + number(1 + dice.below(5)) + "'"; }

std::string mail(Dice &dice) {
    const std::string one = number(1 + dice.below(16));
    switch (dice.below(16)) {
    case 0:
        return "NULL";
    case 1:
        return "' '";
    case 2:
        return "' M" + one + "'";
    case 3:
        return "'M" + one + " '";
    default:
        return "'m" + one + "'";
    }
}

std::string may(Dice &dice) {
    static const std::vector<std::string> lists = {"'{conversions.view}'",
                                                   "'{conversions.view,conversions.update}'",
                                                   "'{conversions.update,conversions.update,NULL}'",
                                                   "'{}'",
                                                   "NULL",
                                                   "'{fly}'"};
    return dice.pick(lists);
}

std::string posts(Dice &dice) {
    std::string list;
    for (int count = dice.below(4); count > 0; --count) {
        list += (list.empty() ? "" : ",") + (dice.chance(5) ? "NULL" : post(dice));
    }
    return dice.chance(5) ? "NULL" : "'{" + list + "}'";
}

std::string what(Dice &dice) {
    static const std::vector<std::string> words = {"see", "buy", "own", "L20", "L30",
                                                   "L40", "see", "L80", "odd"};
    return dice.pick(words);
}

std::string days(Dice &dice) {
    static const std::vector<std::string> numbers = {"NULL", "NULL", "0", "7", "30", "365", "-1"};
    return dice.pick(numbers);
}

std::string until(Dice &dice) {
    static const std::vector<std::string> dates = {"NULL",        "NULL",    "NULL",
                                                   "today() - 1", "today()", "today() + 1"};
    return dice.pick(dates);
}

std::string state(Dice &dice) {
    return dice.chance(75) ? "'open'" : dice.chance(80) ? "'shut'" : "NULL";
}

// id and part
std::string account(Dice &dice) {
    const int id = 1 + dice.below(12);
    return number(id) + ", " + number(id % 2);
}

AdoptedStatement plain(const std::string &text) { return {text, ""}; }

AdoptedStatement write_person(Dice &dice) {
    const std::string a = person(dice);
    const std::string b = person(dice);
    switch (dice.below(9)) {
    case 0:
        return plain("INSERT INTO person VALUES (" + a + ", " + mail(dice) + ", " +
                     truth(dice.chance(25)) +
                     ") ON CONFLICT (id) DO UPDATE SET mail = excluded.mail");
    case 1:
        return plain("INSERT INTO person SELECT i, 'm' || i FROM generate_series(" + a + ", " + a +
                     " + 4) AS i ON CONFLICT (id) DO UPDATE SET gone = false");
    case 2:
        return plain("UPDATE person SET mail = " + mail(dice) + " WHERE id = " + a);
    case 3:
        return plain("UPDATE person SET gone = " + truth(dice.chance(30)) + " WHERE id IN (" + a +
                     ", " + b + ")");
    case 4:
        return plain(
            "UPDATE person p SET mail = (SELECT q.mail FROM person q WHERE q.id = CASE p.id WHEN " +
            a + " THEN " + b + " ELSE " + a + " END) WHERE p.id IN (" + a + ", " + b + ")");
    case 5:
        return plain(dice.chance(25) ? "DELETE FROM person WHERE id = " + a
                                     : "UPDATE person SET gone = false WHERE gone");
    case 6:
        return plain("UPDATE person SET id = " + a + " WHERE id = " + b);
    case 7:
        return plain("MERGE INTO person p USING (VALUES (" + a + "), (" + b +
                     " + 14)) AS v (id) ON p.id = v.id WHEN MATCHED AND p.gone THEN DELETE WHEN "
                     "MATCHED THEN UPDATE SET mail = " +
                     mail(dice) + " WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'n' || v.id)");
    default: {
        std::string lines;
        for (int i = 1 + dice.below(3); i > 0; --i) {
            lines += number(15 + dice.below(10)) + "\tc" + number(dice.below(12)) + "\tf\n";
        }
        return {"COPY person FROM STDIN", lines};
    }
    }
}

AdoptedStatement write_team(Dice &dice) {
    const std::string a = team(dice);
    switch (dice.below(5)) {
    case 0:
    case 1:
        return plain("INSERT INTO team VALUES (" + a + ", 'team " + number(dice.below(9)) +
                     "') ON CONFLICT (id) DO UPDATE SET name = excluded.name, closed = false");
    case 2:
        return plain("UPDATE team SET closed = " + truth(dice.chance(25)) + " WHERE id IN (" + a +
                     ", " + team(dice) + ")");
    case 3:
        return plain("UPDATE team SET id = " + a + " WHERE id = " + team(dice));
    default:
        return plain(dice.chance(25) ? "DELETE FROM team WHERE id = " + a
                                     : "UPDATE team SET name = nullif('team " +
                                           number(dice.below(9)) + "', 'team 3') WHERE id = " + a);
    }
}

AdoptedStatement write_store(Dice &dice) {
    const std::string a = store(dice);
    switch (dice.below(6)) {
    case 0:
    case 1:
        return plain("INSERT INTO store VALUES (" + a + ", (SELECT min(id) FROM team WHERE id >= " +
                     team(dice) + "), 'town') ON CONFLICT (id) DO UPDATE SET closed = false");
    case 2:
        return plain("UPDATE store SET closed = " + truth(dice.chance(25)) + " WHERE id IN (" + a +
                     ", " + store(dice) + ")");
    case 3:
        return plain("UPDATE store SET team = " + team(dice) + " WHERE id = " + a);
    case 4:
        return plain("UPDATE store SET id = " + a + " WHERE id = " + store(dice));
    default:
        return plain(dice.chance(30) ? "DELETE FROM store WHERE id = " + a
                                     : "UPDATE store SET closed = false");
    }
}

AdoptedStatement write_account(Dice &dice) {
    const std::string a = account_number(dice);
    switch (dice.below(8)) {
    case 0:
    case 1:
        return plain("INSERT INTO account VALUES (" + account(dice) + ", 'a', " + state(dice) +
                     ", (SELECT min(id) FROM store WHERE id >= " + store(dice) +
                     ")) ON CONFLICT (id, part) DO UPDATE SET state = excluded.state, store = "
                     "excluded.store");
    case 2:
        return plain("UPDATE account SET state = " + state(dice) + ", title = nullif('t" +
                     number(dice.below(5)) + "', 't3') WHERE id IN (" + a + ", " +
                     account_number(dice) + ")");
    case 3:
        return plain("UPDATE account SET (id, part) = ROW(" + account(dice) + ") WHERE id = " + a);
    case 4:
        return plain("DELETE FROM account_" + number(dice.below(2)) + " WHERE id = " + a);
    case 5:
        return plain("UPDATE account_" + number(dice.below(2)) + " SET store = " + store(dice) +
                     " WHERE id = " + a);
    case 6: {
        const int id = 1 + dice.below(12);
        return {"COPY account (id, part, state, store) FROM STDIN",
                number(id) + "\t" + number(id % 2) + "\topen\t" + store(dice) + "\n"};
    }
    default:
        return plain(dice.chance(10) ? "TRUNCATE account" +
                                           std::string(dice.chance(50) ? "" : "_1") + " CASCADE"
                                     : "UPDATE account SET state = 'open' WHERE id >= " + a);
    }
}

AdoptedStatement write_post(Dice &dice) {
    const std::string a = post(dice);
    switch (dice.below(8)) {
    case 0:
    case 1:
        return plain("INSERT INTO post VALUES (" + a + ", (SELECT min(id) FROM team WHERE id >= " +
                     team(dice) + "), 'title " + number(dice.below(5)) + "', " + may(dice) +
                     ") ON CONFLICT (id) DO UPDATE SET may = excluded.may");
    case 2:
        return plain("UPDATE post SET may = " + may(dice) + ", gone = " + truth(dice.chance(20)) +
                     " WHERE id IN (" + a + ", " + post(dice) + ")");
    case 3:
        return plain("UPDATE post SET team = " + team(dice) +
                     ", title = 'title ' || id WHERE id = " + a);
    case 4:
        return plain("UPDATE post SET id = " + a + " WHERE id = " + post(dice));
    case 5:
        return plain(dice.chance(40) ? "DELETE FROM post WHERE id = " + a
                                     : "UPDATE post SET gone = false WHERE gone");
    case 6:
        return plain("DELETE FROM post_right WHERE post = " + a);
    default:
        return plain("INSERT INTO post_right SELECT id, '" +
                     std::string(dice.chance(50) ? "customers.view" : "customers.edit") +
                     "' FROM post WHERE id IN (" + a + ", " + post(dice) +
                     ") ON CONFLICT DO NOTHING");
    }
}

AdoptedStatement write_staff(Dice &dice) {
    const std::string no = number(dice.below(30));
    switch (dice.below(9)) {
    case 0:
    case 1:
        return plain("INSERT INTO staff SELECT " + no + ", " + person(dice) + ", team, id, " +
                     truth(dice.chance(15)) + " FROM post WHERE id = " + post(dice) +
                     " ON CONFLICT (no) DO UPDATE SET who = excluded.who, team = excluded.team, "
                     "post = excluded.post");
    case 2:
        return plain("INSERT INTO staff VALUES (" + no + ", " + person(dice) + ", " + team(dice) +
                     ", NULL, " + (dice.chance(30) ? "NULL" : truth(dice.chance(40))) +
                     ") ON CONFLICT (no) DO UPDATE SET boss = excluded.boss");
    case 3:
        return plain("UPDATE staff SET away = " + truth(dice.chance(25)) +
                     " WHERE no % 6 = " + number(dice.below(6)));
    case 4:
        return plain(dice.chance(50) ? "DELETE FROM staff WHERE no = " + no
                                     : "UPDATE staff SET boss = NOT boss WHERE no = " + no);
    case 5:
    case 6:
        return plain("INSERT INTO crew VALUES (" + no + ", " + person(dice) + ", " + store(dice) +
                     ", " + posts(dice) +
                     ") ON CONFLICT (no) DO UPDATE SET posts = excluded.posts");
    case 7:
        return plain("UPDATE crew SET posts = array_append(array_remove(posts, " + post(dice) +
                     "), " + post(dice) + ") WHERE no % 6 = " + number(dice.below(6)));
    default:
        return dice.chance(10) ? plain("TRUNCATE crew")
               : dice.chance(50)
                   ? plain("DELETE FROM crew WHERE no = " + no)
                   : AdoptedStatement{"COPY crew FROM STDIN",
                                      number(30 + dice.below(20)) + "\t" + person(dice) + "\t" +
                                          store(dice) + "\t{" + post(dice) + "}\n"};
    }
}

AdoptedStatement write_seat(Dice &dice) {
    const std::string no = number(dice.below(40));
    switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
        return plain("INSERT INTO seat SELECT " + no + ", id, part, " + person(dice) + ", " +
                     quoted(what(dice)) + ", " + days(dice) + ", " + until(dice) +
                     " FROM account WHERE id IN (" + account_number(dice) + ", " +
                     account_number(dice) +
                     ") ORDER BY id LIMIT 1 ON CONFLICT (account, who) DO UPDATE SET what = "
                     "excluded.what, days = excluded.days, until = excluded.until");
    case 3:
        return plain("UPDATE seat SET what = " + quoted(what(dice)) + ", days = " + days(dice) +
                     " WHERE account = " + account_number(dice));
    case 4:
        return plain("UPDATE seat SET (account, part) = ROW(" + account(dice) +
                     ") WHERE no = " + no);
    case 5:
        return plain("DELETE FROM seat WHERE no = " + no + " OR account = " + account_number(dice));
    case 6:
        return plain(
            "WITH d AS (DELETE FROM seat WHERE no = " + no +
            " RETURNING *) INSERT INTO seat SELECT no + 100, account, part, who, what FROM d");
    default:
        return plain(dice.chance(8)
                         ? "TRUNCATE seat"
                         : "UPDATE seat SET who = " + person(dice) + ", until = " + until(dice) +
                               " WHERE no % 12 = " + number(dice.below(12)));
    }
}

} // namespace

AdoptedStatement random_adopted_statement(Dice &dice) {
    const int kind = dice.below(100);
    return kind < 22   ? write_person(dice)
           : kind < 30 ? write_team(dice)
           : kind < 40 ? write_store(dice)
           : kind < 57 ? write_account(dice)
           : kind < 70 ? write_post(dice)
           : kind < 85 ? write_staff(dice)
                       : write_seat(dice);
}

AdoptedStatement random_unwatched_statement(Dice &dice) {
    switch (dice.below(6)) {
    case 0:
    case 1:
        return write_person(dice);
    case 2:
        return write_team(dice);
    case 3:
        return write_store(dice);
    case 4:
        return write_account(dice);
    default:
        return write_seat(dice);
    }
}

std::string random_change_of(Dice &dice, const std::string &person) {
    const std::string of_person = " WHERE who = " + person;
    switch (dice.below(10)) {
    case 0:
        return "UPDATE person SET gone = NOT gone WHERE id = " + person;
    case 1:
        return "UPDATE seat SET what = " + quoted(what(dice)) + ", days = " + days(dice) +
               of_person;
    case 2:
        return "DELETE FROM seat" + of_person;
    case 3:
        return "INSERT INTO seat SELECT 200 + id, id, part, " + person +
               ", 'L20' FROM account ON CONFLICT DO NOTHING";
    case 4:
        return "UPDATE staff SET away = NOT away" + of_person;
    case 5:
        return "UPDATE post SET may = " + may(dice) + " WHERE id IN (SELECT post FROM staff" +
               of_person + ")";
    case 6:
        return "UPDATE team SET closed = NOT closed WHERE id IN (SELECT team FROM staff" +
               of_person + ")";
    case 7:
        return "UPDATE account SET state = CASE state WHEN 'open' THEN 'shut' ELSE 'open' END "
               "WHERE id IN (SELECT account FROM seat" +
               of_person + ")";
    case 8:
        return "UPDATE store SET closed = NOT closed WHERE id IN (SELECT store FROM crew" +
               of_person + ")";
    default:
        return "UPDATE post SET gone = NOT gone WHERE id IN (SELECT unnest(posts) FROM crew" +
               of_person + ") OR id IN (SELECT post FROM staff" + of_person + ")";
    }
}

} // namespace entitle::campaign
