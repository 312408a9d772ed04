using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Migrator.Transforms;

/// <summary>
/// Keys that one range of a query can hold: those of one type, of which MongoDB compares no other with them, numbers being one.
/// </summary>
/// <param name="After">The key after which the range begins; null to begin with the type's first.</param>
/// <param name="Last">The range's last key.</param>
internal sealed record KeyRange(BsonValue? After, BsonValue Last)
{
    /// <summary>
    /// All keys that a collection has at this moment, one range for each type. What is inserted later with a greater key is outside
    /// of them, so that a run over them ends, however much others write.
    /// </summary>
    /// <param name="collection">The collection.</param>
    /// <param name="position">The key after which to begin; what is before comes last. Null to begin at the start.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public static async Task<IReadOnlyList<KeyRange>> ReadAsync(
        IMongoCollection<BsonDocument> collection, BsonValue? position, CancellationToken cancellationToken)
    {
        var lasts = await ReadLastsAsync(collection, cancellationToken);
        var at = position is null ? -1 : lasts.FindIndex(last => TypeOf(last) == TypeOf(position));
        if (at < 0)
        {
            return [.. lasts.Select(last => new KeyRange(null, last))];
        }

        var begun = lasts[at];
        return
        [
            new KeyRange(position, begun),
            .. lasts.Skip(at + 1).Concat(lasts.Take(at)).Select(last => new KeyRange(null, last)),
            new KeyRange(null, position! < begun ? position! : begun),
        ];
    }

    /// <summary>The condition on <c>_id</c> that a key is in the range and comes after another.</summary>
    /// <param name="after">The key; null for the whole range.</param>
    public BsonDocument ToFilter(BsonValue? after)
    {
        // These have no others of their type, and comparisons with them do not keep to it.
        if (IsAlone(Last))
        {
            return new BsonDocument("_id", after is null ? new BsonDocument("$eq", Last) : new BsonDocument("$in", new BsonArray()));
        }

        var bounds = new BsonDocument("$lte", Last);
        if (after is not null)
        {
            bounds.InsertAt(0, new BsonElement("$gt", after));
        }

        return new BsonDocument("_id", bounds);
    }

    private static async Task<List<BsonValue>> ReadLastsAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        var first = await EndAsync(1);
        var last = await EndAsync(-1);
        if (first is null || last is null)
        {
            return [];
        }

        if (TypeOf(first) == TypeOf(last))
        {
            return [last];
        }

        var groups = await collection.Aggregate()
            .Group<BsonDocument>(new BsonDocument { { "_id", new BsonDocument("$type", "$_id") }, { "last", new BsonDocument("$max", "$_id") } })
            .ToListAsync(cancellationToken);
        var keys = groups.Select(group => group["last"]).ToList();
        if (await collection.CountDocumentsAsync(new BsonDocument("_id", double.NaN), new CountOptions { Limit = 1 }, cancellationToken) > 0)
        {
            keys.Add(double.NaN);
        }

        return [.. keys.GroupBy(TypeOf).Select(type => type.Max()!).Order()];

        async Task<BsonValue?> EndAsync(int direction) =>
            (await collection.Find(new BsonDocument())
                .Project<BsonDocument>(new BsonDocument("_id", 1))
                .Sort(new BsonDocument("_id", direction))
                .FirstOrDefaultAsync(cancellationToken))?["_id"];
    }

    // Not a number equals itself only, and is in no range of numbers.
    private static BsonType TypeOf(BsonValue key) => key switch
    {
        { IsNumeric: true } => IsNotANumber(key) ? BsonType.Undefined : BsonType.Double,
        { BsonType: BsonType.Symbol } => BsonType.String,
        _ => key.BsonType,
    };

    private static bool IsAlone(BsonValue key) => IsNotANumber(key) || key.BsonType is BsonType.Null or BsonType.MinKey or BsonType.MaxKey;

    private static bool IsNotANumber(BsonValue key) =>
        key is BsonDouble { Value: double.NaN } || (key is BsonDecimal128 number && Decimal128.IsNaN(number.Value));
}
