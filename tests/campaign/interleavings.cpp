// Pairs of an administrative change and of what a reader does meanwhile, step by step in every
// order: each answer must be that of the naive second model for what was committed when the
// statement began (R46, R47), whatever the isolation level, the protocol's plan or the cursor. A
// step that waits for the other session is found by the server's own means, and answered for what
// was committed until it went on.
#include "campaign.hpp"

#include "history.hpp"
#include "interleaving_case.hpp"
#include "stepper.hpp"

#include <algorithm>
#include <stdexcept>

namespace entitle::campaign {

namespace {

using client::Reply;

struct Case {
    const Change *change;
    const Ending *ending;
    const Script *script;
};

// Neighbours differ in all three, so that a short run has some of everything.
Case case_of(std::uint64_t number) {
    const std::size_t script_count = scripts().size();
    const std::size_t change = number % changes().size();
    const std::size_t rest = number / changes().size();
    const std::size_t script = (rest + 7 * change) % script_count;
    const std::size_t ending =
        (rest / script_count + rest % script_count + change) % endings().size();
    return {&changes()[change], &endings()[ending], &scripts()[script]};
}

std::uint64_t case_count() { return changes().size() * scripts().size() * endings().size(); }

bool is_in(const std::vector<std::string> &all, const std::string &one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

class Interleavings {
  public:
    explicit Interleavings(Report &report) : report_(report) {
        load_interleaving_rows(monitor_);
        before_ = load_world(monitor_);
    }

    // Goes through a pair in every order of its steps, or in about `most` of them.
    void run(std::uint64_t number, std::size_t most) {
        number_ = number;
        case_ = case_of(number);
        after_ = before_;
        case_.change->apply(after_);
        asker_.user_id = case_.change->whom;
        asker_.today = kHistoryToday;
        reader_.reset();
        // The steps of either session, as zeros and ones: every order of them.
        std::string order = std::string(case_.ending->steps.size(), '0') +
                            std::string(case_.script->steps.size(), '1');
        const std::size_t step = most == 0 ? 1 : 1 + (orders_of(order) - 1) / most;
        std::size_t place = number % step;
        std::size_t taken = 0;
        do {
            if (place++ % step != 0) {
                report_.count("orders left out");
                continue;
            }
            // Some sessions know nothing yet, most know all as it was.
            if (reader_ == nullptr || taken++ % 8 == 7) {
                open_reader();
            } else {
                reader_->session().must("EXECUTE " + std::string(prepared()[number % 2].name));
            }
            report_.count("permutations");
            if (!is_right(order)) {
                return;
            }
        } while (!report_.is_over() && std::next_permutation(order.begin(), order.end()));
        report_.count("pairs of a change and a reader");
    }

  private:
    static std::size_t orders_of(std::string order) {
        std::size_t count = 1;
        while (std::next_permutation(order.begin(), order.end())) {
            ++count;
        }
        return count;
    }

    void open_reader() {
        reader_ = std::make_unique<Stepper>("campaign_interleavings user=inter_pool");
        client::Session &session = reader_->session();
        session.must("SELECT entitle.sign_in('user " + std::to_string(case_.change->whom) +
                     "', true)");
        if (number_ % 2 == 0) {
            session.must("SET plan_cache_mode = force_generic_plan");
        }
        for (const Prepared &one : prepared()) {
            session.must(std::string("PREPARE ") + one.name + " AS " + one.command);
        }
    }

    // Goes through the steps in that order, and leaves all as it was. Returns whether all was
    // right.
    bool is_right(const std::string &order) {
        told_.clear();
        wrong_.clear();
        given_.clear();
        is_committed_ = has_failed_ = has_changed_ = false;
        is_chosen_ = false;
        std::size_t next[] = {0, 0};
        for (std::size_t i = 0; i < order.size() && wrong_.empty(); ++i) {
            std::size_t who = order[i] == '0' ? 0 : 1;
            // Who waits is waited for: the other one's steps come first.
            if (stepper(who).is_waiting() || next[who] == count_of(who)) {
                who = 1 - who;
            }
            if (stepper(who).is_waiting() || next[who] == count_of(who)) {
                wrong_ = "both wait, or one waits for nobody";
                break;
            }
            step(who, next[who]++);
        }
        for (const std::size_t who : {0, 1}) {
            if (stepper(who).is_waiting() && wrong_.empty()) {
                finish(who);
            }
        }
        clean();
        if (!wrong_.empty()) {
            report_.fail(case_.change->name + std::string(", ") + case_.ending->name + ", meets " +
                             case_.script->name + " of user " + std::to_string(case_.change->whom) +
                             "\n" + told_ + wrong_,
                         number_);
        }
        return wrong_.empty();
    }

    Stepper &stepper(std::size_t who) { return who == 0 ? administrator_ : *reader_; }
    std::size_t count_of(std::size_t who) const {
        return who == 0 ? case_.ending->steps.size() : case_.script->steps.size();
    }

    void step(std::size_t who, std::size_t place) {
        std::string command =
            who == 0 ? case_.ending->steps[place] : case_.script->steps[place].command;
        if (command == "%s") {
            command = case_.change->done;
        }
        told_ += (who == 0 ? "administrator: " : "reader: ") + command + "\n";
        places_[who] = place;
        began_committed_[who] = is_committed_;
        stepper(who).send(command);
        while (!stepper(who).is_over(20)) {
            if (monitor_
                    .must("SELECT pg_isolation_test_session_is_blocked(" +
                          std::to_string(stepper(who).pid()) + ", '{" +
                          std::to_string(stepper(1 - who).pid()) + "}')")
                    .value() == "t") {
                told_ += "  waits\n";
                report_.count("steps that waited");
                return;
            }
        }
        finish(who);
        if (stepper(1 - who).is_waiting() && stepper(1 - who).is_over(200)) {
            finish(1 - who);
        }
    }

    void finish(std::size_t who) {
        if (!stepper(who).is_over(10000)) {
            wrong_ = "a step does not end";
            return;
        }
        const Reply &reply = stepper(who).reply();
        if (who == 0) {
            if (!reply.ok()) {
                wrong_ = "the administrator is refused: " + reply.message;
            } else if (places_[0] == case_.ending->commits) {
                is_committed_ = has_changed_ = true;
            }
            return;
        }
        report_.count("answers");
        judge(case_.script->steps[places_[1]], reply);
    }

    naive::Asker asker() const {
        naive::Asker now = asker_;
        if (is_chosen_) {
            now.chosen_customer = kChosenCustomer;
        }
        return now;
    }

    void judge(const ReaderStep &step, const Reply &reply) {
        if (has_failed_ && (reply.error == "25P02" || reply.error == "34000")) {
            return;
        }
        const naive::World &world = is_committed_ ? after_ : before_;
        const std::string given = reply.ok() ? reply.value() : reply.error;
        switch (step.kind) {
        case StepKind::plain:
            has_failed_ = has_failed_ && step.command != "ROLLBACK";
            if (reply.error == "40001" && step.command == "COMMIT" && has_changed_) {
                has_failed_ = true; // a held cursor's rows are read anew, after its first FETCH
                report_.count("cursors that ended");
            } else if (!reply.ok()) {
                wrong_ = reply.message;
            }
            return;
        case StepKind::choose: {
            const bool may = naive::Model(world).access_level(asker_, kChosenCustomer) > 0;
            is_chosen_ = reply.ok();
            has_changed_ = has_changed_ || reply.ok();
            has_failed_ = has_failed_ || !reply.ok();
            expect(may ? "" : kInterleavingRefused, given);
            return;
        }
        case StepKind::read: {
            const std::string wanted = step.answer(world, asker());
            has_failed_ = has_failed_ || !reply.ok();
            if (began_committed_[1] == is_committed_ ||
                (given != step.answer(before_, asker()) && reply.error != "23503")) {
                expect(wanted, given);
            }
            report_.count("answers that show something", reply.ok() && !given.empty() ? 1 : 0);
            return;
        }
        case StepKind::open:
            seen_ = visible_deals(world, asker());
            given_.clear();
            has_changed_ = false;
            if (!reply.ok()) {
                wrong_ = reply.message;
            }
            return;
        case StepKind::fetch:
        case StepKind::rest:
            judge_rows(step, reply, visible_deals(world, asker()));
        }
    }

    // Rows of a cursor: all of them may be seen now, and none is missing that was to be seen from
    // its beginning on. When anything has changed it may end with 40001 instead.
    void judge_rows(const ReaderStep &step, const Reply &reply,
                    const std::vector<std::string> &visible) {
        if (!reply.ok()) {
            has_failed_ = true;
            report_.count("cursors that ended", 1);
            const bool is_right =
                has_changed_ && (reply.error == "40001" || reply.error == "55000");
            wrong_ = is_right ? "" : reply.message;
            return;
        }
        for (const client::Row &row : reply.rows) {
            if (!is_in(visible, row[0])) {
                wrong_ = "row " + row[0] + " may not be seen any more";
            }
            given_.push_back(row[0]);
        }
        if (step.kind == StepKind::rest) {
            for (const std::string &id : seen_) {
                if (is_in(visible, id) && !is_in(given_, id)) {
                    wrong_ = "row " + id + " is missing";
                }
            }
        }
    }

    void expect(const std::string &wanted, const std::string &given) {
        if (wanted != given) {
            wrong_ = "  gives " + given + "\n  and should give " + wanted;
        }
    }

    void clean() {
        for (const std::size_t who : {1, 0}) {
            if (stepper(who).is_waiting()) {
                monitor_.must("SELECT pg_cancel_backend(" + std::to_string(stepper(who).pid()) +
                              ")");
                (void)stepper(who).is_over(10000);
            }
        }
        if (case_.script->steps.back().kind == StepKind::rest) {
            reader_->session().run("CLOSE c");
        }
        for (const std::size_t who : {0, 1}) {
            if (PQtransactionStatus(stepper(who).session().handle()) != PQTRANS_IDLE) {
                stepper(who).session().run("ROLLBACK");
            }
        }
        if (case_.ending->steps.size() > 2 && case_.ending->steps[2].find("PREPARE") == 0) {
            monitor_.run("ROLLBACK PREPARED 'i'");
        }
        if (is_committed_) {
            monitor_.must("BEGIN; " + case_.change->undone + "; COMMIT");
        }
    }

    Report &report_;
    client::Session monitor_{"campaign_interleavings"};
    Stepper administrator_{"campaign_interleavings"};
    std::unique_ptr<Stepper> reader_;
    std::uint64_t number_ = 0;
    Case case_{};
    naive::World before_;
    naive::World after_;
    naive::Asker asker_;
    // Of the permutation under way:
    std::string told_;
    std::string wrong_;
    bool is_committed_ = false;
    bool has_failed_ = false;
    bool has_changed_ = false; // since the cursor was opened
    bool is_chosen_ = false;
    std::size_t places_[2] = {0, 0};
    bool began_committed_[2] = {false, false};
    std::vector<std::string> seen_;
    std::vector<std::string> given_;
};

void make_world() {
    client::Session cluster;
    cluster.must("DROP DATABASE IF EXISTS campaign_interleavings WITH (FORCE)");
    cluster.must("DROP ROLE IF EXISTS inter_pool");
    cluster.must("CREATE DATABASE campaign_interleavings");
    client::Session world("campaign_interleavings");
    world.must(read_file("tests/campaign/shop_world.sql"));
    world.must(read_file("tests/campaign/interleaving_world.sql"));
}

} // namespace

bool run_interleavings(const Options &options) {
    Report report("interleavings", options);
    make_world();
    Interleavings interleavings(report);
    for (std::uint64_t i = options.seed; report.has_next_round(); ++i) {
        const std::uint64_t number = i % case_count();
        report.begin_round(number);
        // A short run has a look at many pairs.
        interleavings.run(number, options.seconds < 60 && options.rounds == 0 ? 10 : 0);
    }
    report.count("pairs there are", static_cast<long>(case_count()));
    return report.close();
}

} // namespace entitle::campaign
