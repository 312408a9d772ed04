using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Data.Rules;

/// <summary>The rules over several fields, by collection.</summary>
public static class CrossFieldRules
{
    /// <summary>An order has each product on one line only.</summary>
    public const string ProductOnce = "productOnce";

    /// <summary>For documents that tell when they were created and last changed.</summary>
    public static IReadOnlyList<CrossFieldRule> History { get; } = [NotBefore("updatedAt", "createdAt")];

    /// <summary>Categories.</summary>
    public static IReadOnlyList<CrossFieldRule> Category { get; } =
    [
        new()
        {
            Code = "notOwnParent",
            Sentence = "Must be another category.",
            Field = "parentId",
            With = ["_id"],
            Expression = Call("$ne", "$parentId", "$_id"),
        },
        .. History,
    ];

    /// <summary>Products.</summary>
    public static IReadOnlyList<CrossFieldRule> Product { get; } = [AmountOfCurrency("price"), .. History];

    /// <summary>Sales.</summary>
    public static IReadOnlyList<CrossFieldRule> Sale { get; } = [AmountOfCurrency("total")];

    /// <summary>Stock.</summary>
    public static IReadOnlyList<CrossFieldRule> Inventory { get; } =
    [
        new()
        {
            Code = "reservedWithinOnHand",
            Sentence = "Must not be more than onHand.",
            Field = "reserved",
            With = ["onHand"],
            Expression = Call("$lte", "$reserved", "$onHand"),
        },
    ];

    /// <summary>Orders.</summary>
    public static IReadOnlyList<CrossFieldRule> Order { get; } =
    [
        new()
        {
            Code = ProductOnce,
            Sentence = "Must have each product on one line only.",
            Field = "lines",
            With = ["lines[].productId"],
            Given = Call("$isArray", "$lines"),
            Expression = Call("$eq", Call("$size", "$lines"), Call("$size", Call("$setUnion", "$lines.productId", new BsonArray()))),
        },
        AmountOfCurrency("unitPrice", each: "lines"),
        new()
        {
            Code = "lineTotal",
            Sentence = "Must be quantity times unitPrice.",
            Each = "lines",
            Field = "total",
            With = ["quantity", "unitPrice"],
            Given = Call("$and", Call("$isNumber", "$$item.quantity"), Call("$isNumber", "$$item.unitPrice")),
            Expression = Call("$eq", "$$item.total", Call("$multiply", "$$item.quantity", "$$item.unitPrice")),
        },
        new()
        {
            Code = "subtotalIsSumOfLines",
            Sentence = "Must be the sum of the lines' totals.",
            Field = "subtotal",
            With = ["lines[].total"],
            Expression = Call("$eq", "$subtotal", new BsonDocument("$sum", "$lines.total")),
        },
        AmountOfCurrency("tax"),
        new()
        {
            Code = "totalIsSubtotalPlusTax",
            Sentence = "Must be subtotal plus tax.",
            Field = "total",
            With = ["subtotal", "tax"],
            Expression = Call("$eq", "$total", Call("$sum", "$subtotal", "$tax")),
        },
        new()
        {
            Code = "itemCountIsSumOfLines",
            Sentence = "Must be the sum of the lines' quantities.",
            Field = "itemCount",
            With = ["lines[].quantity"],
            Given = Call("$isNumber", "$itemCount"),
            Expression = Call("$eq", "$itemCount", new BsonDocument("$sum", "$lines.quantity")),
        },
        NotBefore("updatedAt", "placedAt"),
    ];

    // Sums and whole multiples of amounts are amounts, so only what they are made of is asked.
    private static CrossFieldRule AmountOfCurrency(string field, string? each = null)
    {
        var amount = each is null ? $"${field}" : $"$$item.{field}";
        BsonValue decimals = CurrencyUnits.DecimalsOf("");
        foreach (var (unusual, currencies) in CurrencyUnits.Unusual)
        {
            decimals = Call("$cond", Call("$in", "$currency", new BsonArray(currencies)), unusual, decimals);
        }

        return new()
        {
            Code = $"{field}IsAmountOfCurrency",
            Sentence = "Must have no more decimals than its currency (ISO 4217).",
            Each = each,
            Field = field,
            With = ["currency"],
            Given = Call("$isNumber", amount),
            Expression = Call("$eq", amount, Call("$round", amount, decimals)),
        };
    }

    private static CrossFieldRule NotBefore(string later, string earlier) => new()
    {
        Code = $"{later}NotBefore{char.ToUpperInvariant(earlier[0])}{earlier[1..]}",
        Sentence = $"Must not be before {earlier}.",
        Field = later,
        With = [earlier],
        Expression = Call("$gte", $"${later}", $"${earlier}"),
    };

    private static BsonDocument Call(string name, params BsonValue[] arguments) => new(name, new BsonArray(arguments));
}
