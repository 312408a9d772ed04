using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.Corrections;

/// <summary>
/// <c>$replaceWith</c> and <c>$replaceRoot</c> in updates: when the new root has an <c>_id</c>, the backend stores a document with two of
/// them. The new root goes without, and its <c>_id</c> is set after it, which the backend has right: it refuses a changed one (66), and an upsert takes
/// it. It may go when <c>{update: "c", updates: [{q: {_id: 1}, u: [{$replaceWith: {_id: 1, a: 2}}]}]}</c> stores one <c>_id</c>.
/// </summary>
internal static class UpdatePipelineCorrection
{
    private const string Kept = "__gateway_id";

    // The backend evaluates both branches of a condition; $unsetField takes null, but no other value that is not a document.
    private static readonly ReadOnlyMemory<byte> s_setId = BsonDocument.Parse($$"""
        { $set: { _id: { $cond: [{ $eq: [{ $type: "${{Kept}}" }, "missing"] }, "$_id", "${{Kept}}"] } } }
        """).ToRaw();

    private static readonly ReadOnlyMemory<byte> s_unset = new BsonDocument("$unset", Kept).ToRaw();

    /// <summary>The stages of an update; the same bytes when none replaces the root and no expression needs a correction.</summary>
    public static RawDocument Pipeline(RawDocument stages) => PipelineCorrection.Stages(ExpressionCorrection.Expression(stages), Correct);

    private static bool Correct(RawElement stage, List<ReadOnlyMemory<byte>> into)
    {
        if (stage.Is("$replaceWith"u8))
        {
            Add(stage, into);
            return true;
        }

        if (stage.Is("$replaceRoot"u8) && stage.Type == BsonType.Document)
        {
            foreach (var option in stage.Document)
            {
                if (!option.Is("newRoot"u8))
                {
                    return false;
                }

                Add(option, into);
                return stage.Document.Count() == 1;
            }
        }

        return false;
    }

    private static void Add(in RawElement root, List<ReadOnlyMemory<byte>> into)
    {
        // {$replaceWith: {$let: {vars: {root: ROOT}, in: {$cond: [ROOT is a document, its fields but _id and with Kept, root]}}}}
        var stage = new BsonBuilder(root.Value.Length + 320);
        stage.Start("$replaceWith"u8).Start("$let"u8).Start("vars"u8).Add("root"u8, root).End()
            .Start("in"u8).Start("$cond"u8, BsonType.Array)
            .Start("0"u8).Start("$eq"u8, BsonType.Array).Start("0"u8).Add("$type"u8, "$$root").End().Add("1"u8, "object").End().End()
            .Start("1"u8).Start("$mergeObjects"u8, BsonType.Array)
            .Start("0"u8).Start("$unsetField"u8).Add("field"u8, "_id").Add("input"u8, "$$root").End().End()
            .Start("1"u8).Add("__gateway_id"u8, "$$root._id").End()
            .End().End()
            .Add("2"u8, "$$root");
        into.Add(stage.Finish());
        into.Add(s_setId);
        into.Add(s_unset);
    }
}
