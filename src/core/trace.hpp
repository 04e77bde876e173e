// The steps of a decision, told by the code that decides. An empty Trace pointer costs nothing: the
// details are built only when somebody listens. Gates stand in the order of R2.
//
// Answers have three shapes. A Decision answers a question that may well be answered by no. An
// optional<Decision> is of one gate on the way to it: none is "passed, go on". A Result
// (result.hpp) is of a write, whose no is an error with a hint.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entitle {

enum class Gate {
    identity,     // R1
    membership,   // R22, R52
    module,       // R23, R31
    plan,         // R26
    permission,   // R4, R20, R24, R25, R27
    prerequisite, // R5
    metric,       // R30
    capability,   // R28
    customer,     // R34, R45: the active customer and the grant
    validity,     // R40
    level,        // R33, R35
    window,       // R38, R39
    status,       // R12 to R14
    protection,   // whether the table is protected, and how
    row,          // whether a row with the key is there
    staff,        // all gates of the way by permission (R36)
    external,     // all gates of the way by external access
    mask,         // one masked column of a row that shows (R36)
    privilege,    // which columns the asker may read
    policy,       // policies of the table that are not entitle's
    delegation,   // R59, R60: what a role grants, against what its giver holds
    decision,
};

struct Step {
    Gate gate;
    bool passed;
    std::string detail;
};

using Trace = std::vector<Step>;

// The answer to one question. `failed` names the first gate that failed (R2), none when allowed.
struct Decision {
    bool allowed = false;
    std::optional<Gate> failed;
    // Of a row that both ways were open to: where the way by permission failed, for staff.
    std::optional<Gate> failed_by_permission = std::nullopt;

    explicit operator bool() const noexcept { return allowed; }
};

// Returns: the last step of an explanation, which repeats the decision and the first gate that
// failed.
Step conclude(const Decision &decision);

// Returns: the gate's name as explanations show it.
std::string_view gate_name(Gate gate) noexcept;

// Writes steps while a decision is taken. Holds no decision of its own.
class Recorder {
  public:
    explicit Recorder(Trace *trace) noexcept : trace_(trace) {}

    // Notes a passed gate; `detail()` builds the text only if there is a trace.
    template <typename Detail> void pass(Gate gate, Detail &&detail) const {
        if (trace_ != nullptr) {
            trace_->push_back(Step{gate, true, detail()});
        }
    }

    // Notes a failed gate. Returns: the decision "denied at this gate".
    template <typename Detail> Decision fail(Gate gate, Detail &&detail) const {
        if (trace_ != nullptr) {
            trace_->push_back(Step{gate, false, detail()});
        }
        return Decision{false, gate};
    }

    Trace *trace() const noexcept { return trace_; }

  private:
    Trace *trace_;
};

} // namespace entitle
