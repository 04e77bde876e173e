// Sets of rows, and explanations among them.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/datum/row_set.hpp"

namespace entitle::pg {

RowSet open_row_set(FunctionCallInfo fcinfo) {
    auto *info = ENTITLE_NODE(ReturnSetInfo, fcinfo->resultinfo);
    if (info == nullptr || !IsA(info, ReturnSetInfo) ||
        (info->allowedModes & SFRM_Materialize) == 0) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("a set of rows is not expected here"),
                        errhint("Call the function in FROM.")));
    }
    MemoryContext previous = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
    TupleDesc columns = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE) {
        elog(ERROR, "the function does not return rows");
    }
    const RowSet set{
        tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem),
        BlessTupleDesc(columns)};
    info->returnMode = SFRM_Materialize;
    info->setResult = set.store;
    info->setDesc = set.columns;
    MemoryContextSwitchTo(previous);
    return set;
}

void add_row(RowSet &set, const Datum *values, const bool *nulls) {
    tuplestore_putvalues(set.store, set.columns, const_cast<Datum *>(values),
                         const_cast<bool *>(nulls));
}

PlainSteps copy_out(const Trace &trace) {
    PlainSteps plain;
    plain.steps = static_cast<PlainStep *>(allocate((trace.size() + 1) * sizeof(PlainStep)));
    for (const Step &step : trace) {
        // Names of gates are literals, so they end with a zero byte.
        plain.steps[plain.count++] =
            PlainStep{gate_name(step.gate).data(), step.passed, copy_text(step.detail)};
    }
    return plain;
}

Datum return_steps(FunctionCallInfo fcinfo, const PlainSteps &steps) {
    RowSet set = open_row_set(fcinfo);
    for (std::size_t i = 0; i < steps.count; ++i) {
        const PlainStep &step = steps.steps[i];
        const Datum values[] = {Int32GetDatum(static_cast<std::int32_t>(i) + 1),
                                CStringGetTextDatum(step.gate), BoolGetDatum(step.passed),
                                CStringGetTextDatum(step.detail)};
        const bool nulls[] = {false, false, false, false};
        add_row(set, values, nulls);
    }
    return Datum(0);
}

} // namespace entitle::pg
