using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>Compares what was declared with what a server lists.</summary>
internal static class ListedValue
{
    /// <summary>Whether two values are the same to a server, which may keep a number in another type and the fields of an option in another order.</summary>
    public static bool IsSame(BsonValue left, BsonValue right) => (left, right) switch
    {
        ({ IsNumeric: true }, { IsNumeric: true }) => left.ToDouble().Equals(right.ToDouble()),
        (BsonDocument first, BsonDocument second) => first.ElementCount == second.ElementCount
            && first.All(element => second.TryGetValue(element.Name, out var other) && IsSame(element.Value, other)),
        _ => left == right,
    };
}
