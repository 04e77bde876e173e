// Claim: a customer lives from PAIN to ACTV and INAC as R8 to R11 say, for those who may edit it.
#include <gtest/gtest.h>

#include "core/customer.hpp"
#include "facts.hpp"
#include "shipped_catalogue.hpp"

namespace {

using namespace entitle;

const std::vector<std::string> kFields = {"country", "address"};
constexpr Status kAll[] = {Status::pending, Status::active, Status::inactive};

CustomerRecord record(std::optional<Status> status, bool country = true, bool address = true) {
    return CustomerRecord{kMainBrand, status, {country, address}};
}

// An editor of the main brand saves changes.
class Editor {
  public:
    explicit Editor(const char *role = "sales") : facts_(world_, add_member(world_, role)) {}

    Result<Status> save(CustomerRecord before, CustomerRecord after,
                        std::optional<Status> held = std::nullopt, bool more = false,
                        bool scores = false) const {
        return check_customer_change(facts_.subject(), facts_.session(),
                                     CustomerChange{before, after, held, scores, more}, kFields);
    }
    Result<Passed> create(const CustomerRecord &customer, bool has_score = false) const {
        return check_new_customer(facts_.subject(), facts_.session(), customer, has_score);
    }
    Result<Passed> link(std::optional<Status> status) const {
        return check_can_link(facts_.subject(), facts_.session(), status, kMainBrand);
    }

  private:
    naive::World world_ = shipped_catalogue();
    Facts facts_;
};

template <typename Value> ErrorCode code(const Result<Value> &result) {
    return result.error().code;
}

TEST(Status, IsOneOfThree) {
    for (const Status status : kAll) {
        EXPECT_EQ(parse_status(status_text(status)), status);
    }
    for (const char *text : {"", "actv", "ACTV ", "PAINT", "INA"}) {
        EXPECT_FALSE(parse_status(text)) << text;
        EXPECT_EQ(code(check_customer_status(text)), ErrorCode::broken_rule);
    }
}

// R7
TEST(Customer, IsWrittenByEditorsOnly) {
    for (const char *role :
         {"read-only", "customers-only viewer", "reports reader", "operations user"}) {
        const Editor reader(role);
        EXPECT_EQ(code(reader.create(record(Status::pending))), ErrorCode::denied) << role;
        EXPECT_EQ(code(reader.save(record(Status::pending), record(Status::pending))),
                  ErrorCode::denied);
        EXPECT_EQ(code(reader.link(Status::active)), ErrorCode::denied) << role;
    }
    const CustomerChange change{record(Status::pending), record(Status::pending), {}, false, true};
    EXPECT_EQ(code(check_customer_change(nullptr, Session(), change, kFields)), ErrorCode::denied);
    // To a brand out of reach, and from one.
    const Editor editor;
    CustomerRecord elsewhere = record(Status::pending);
    elsewhere.brand = kMainBrand + 1;
    EXPECT_EQ(code(editor.save(record(Status::pending), elsewhere)), ErrorCode::denied);
    EXPECT_EQ(code(editor.save(elsewhere, record(Status::pending))), ErrorCode::denied);
}

// R8, R17
TEST(Customer, BeginsAsPainWithoutAScore) {
    const Editor editor;
    EXPECT_TRUE(editor.create(record(Status::pending)).ok());
    EXPECT_EQ(code(editor.create(record(Status::active))), ErrorCode::broken_rule);
    EXPECT_EQ(code(editor.create(record(Status::inactive))), ErrorCode::broken_rule);
    EXPECT_EQ(code(editor.create(record(Status::pending), true)), ErrorCode::denied);
}

// R9
TEST(Customer, BecomesActiveByASaveThatLeavesItFull) {
    const Editor editor;
    EXPECT_EQ(editor.save(record(Status::pending), record(Status::pending)).value(),
              Status::active);
    EXPECT_EQ(editor.save(record(Status::pending, false), record(Status::active)).value(),
              Status::active);
    EXPECT_EQ(editor.save(record(Status::pending), record(Status::pending, true, false)).value(),
              Status::pending);
    const auto early = editor.save(record(Status::pending), record(Status::active, true, false));
    EXPECT_EQ(code(early), ErrorCode::broken_rule);
    EXPECT_NE(early.error().message.find("\"address\""), std::string::npos);
}

// R9
TEST(Customer, StaysActiveAndFull) {
    const Editor editor;
    EXPECT_EQ(code(editor.save(record(Status::active), record(Status::pending))),
              ErrorCode::broken_rule);
    EXPECT_EQ(code(editor.save(record(Status::active), record(Status::active, false))),
              ErrorCode::broken_rule);
    EXPECT_EQ(code(editor.save(record(Status::active), record(Status::inactive, false))),
              ErrorCode::broken_rule)
        << "or reactivation would bring back a record that is not full";
    // A field that was listed later was never filled.
    EXPECT_EQ(editor.save(record(Status::active, false), record(Status::active, false)).value(),
              Status::active);
}

// R10
TEST(Customer, ComesBackAsItWas) {
    const Editor editor;
    for (const Status held : {Status::pending, Status::active}) {
        EXPECT_EQ(editor.save(record(held), record(Status::inactive)).value(), Status::inactive);
        EXPECT_EQ(editor.save(record(Status::inactive), record(held), held).value(), held);
        const Status other = held == Status::pending ? Status::active : Status::pending;
        const auto wrong = editor.save(record(Status::inactive), record(other), held);
        EXPECT_EQ(code(wrong), ErrorCode::broken_rule);
        EXPECT_NE(wrong.error().hint.find(status_text(held)), std::string::npos);
    }
    EXPECT_EQ(editor.save(record(Status::inactive), record(Status::pending)).value(),
              Status::pending)
        << "it came INAC and is not known to be full";
}

// R11, R17, R19
TEST(Customer, TakesNothingElseWhileInactive) {
    const Editor editor;
    EXPECT_EQ(code(editor.save(record(Status::inactive), record(Status::inactive))),
              ErrorCode::denied);
    EXPECT_EQ(
        code(editor.save(record(Status::inactive), record(Status::active), Status::active, true)),
        ErrorCode::denied);
    for (const Status status : kAll) {
        EXPECT_EQ(code(editor.save(record(status), record(status), std::nullopt, false, true)),
                  ErrorCode::denied);
        EXPECT_EQ(editor.link(status).ok(), status != Status::inactive);
    }
    EXPECT_FALSE(editor.link(std::nullopt).ok());
}

} // namespace
