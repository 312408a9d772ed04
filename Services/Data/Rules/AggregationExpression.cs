using MongoDB.Bson;

namespace Platform.Data.Rules;

/// <summary>
/// An aggregation expression, so that a rule that is declared as <c>$expr</c> can be judged here as well. Knows the operators
/// that the rules use; any other is refused when the rule is declared, not when it is used.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/aggregation/"/></remarks>
internal sealed class AggregationExpression
{
    // What a part of the expression is for a document and the variables in reach; null for missing.
    private readonly Func<Scope, BsonValue?> _value;

    private AggregationExpression(Func<Scope, BsonValue?> value) => _value = value;

    /// <summary>Reads an expression.</summary>
    /// <exception cref="NotSupportedException">An operator is not known here.</exception>
    public static AggregationExpression Parse(BsonValue expression) => new(Compile(expression));

    /// <summary>Whether the expression is true of a document, and of an entry of one of its lists where the expression speaks of <c>$$item</c>.</summary>
    public bool Holds(BsonDocument document, BsonValue? item = null) =>
        IsTrue(_value(new Scope(document, item is null ? null : new Variable("item", item, null))));

    private static Func<Scope, BsonValue?> Compile(BsonValue expression) => expression switch
    {
        BsonString { Value: ['$', '$', ..] } variable => Path(variable.Value[2..], ofVariable: true),
        BsonString { Value: ['$', ..] } field => Path(field.Value[1..], ofVariable: false),
        BsonArray array => List(array),
        BsonDocument { ElementCount: 1 } call when call.GetElement(0).Name is ['$', ..] => Operator(call.GetElement(0)),
        BsonDocument => throw new NotSupportedException($"{expression} is not an expression that rules are made of."),
        _ => _ => expression,
    };

    private static Func<Scope, BsonValue?> Operator(BsonElement call)
    {
        if (call.Name == "$map")
        {
            return Map(call.Value.AsBsonDocument);
        }

        var arguments = (call.Value is BsonArray several ? several : [call.Value]).Select(Compile).ToArray();
        return call.Name switch
        {
            "$eq" => Compared(arguments, order => order == 0),
            "$ne" => Compared(arguments, order => order != 0),
            "$gt" => Compared(arguments, order => order > 0),
            "$gte" => Compared(arguments, order => order >= 0),
            "$lt" => Compared(arguments, order => order < 0),
            "$lte" => Compared(arguments, order => order <= 0),
            "$and" => scope => (BsonBoolean)Array.TrueForAll(arguments, argument => IsTrue(argument(scope))),
            "$or" => scope => (BsonBoolean)Array.Exists(arguments, argument => IsTrue(argument(scope))),
            "$not" => scope => (BsonBoolean)!IsTrue(arguments[0](scope)),
            "$cond" => scope => IsTrue(arguments[0](scope)) ? arguments[1](scope) : arguments[2](scope),
            "$in" => scope => (BsonBoolean)ListOf(arguments[1](scope)).Any(item => Compare(arguments[0](scope), item) == 0),
            "$isArray" => scope => (BsonBoolean)(arguments[0](scope) is BsonArray),
            "$isNumber" => scope => (BsonBoolean)(arguments[0](scope) is { IsNumeric: true }),
            "$size" => scope => ListOf(arguments[0](scope)).Count,
            "$sum" => scope => Sum(arguments.Length == 1 && arguments[0](scope) is BsonArray one ? one : arguments.Select(argument => argument(scope))),
            "$multiply" => scope => Product(arguments.Select(argument => argument(scope))),
            "$round" => scope => Rounded(arguments[0](scope), arguments[1](scope)),
            "$setUnion" => scope => new BsonArray(arguments.SelectMany(argument => ListOf(argument(scope))).Distinct()),
            "$allElementsTrue" => scope => (BsonBoolean)ListOf(arguments[0](scope)).All(IsTrue),
            _ => throw new NotSupportedException($"The operator {call.Name} is not one that rules are made of."),
        };
    }

    private static Func<Scope, BsonValue?> Map(BsonDocument map)
    {
        var (input, name, body) = (Compile(map["input"]), map["as"].AsString, Compile(map["in"]));
        return scope => new BsonArray(ListOf(input(scope)).Select(
            item => body(scope with { Variables = new Variable(name, item, scope.Variables) }) ?? BsonNull.Value));
    }

    private static Func<Scope, BsonValue?> List(BsonArray array)
    {
        var items = array.Select(Compile).ToArray();
        return scope => new BsonArray(items.Select(item => item(scope) ?? BsonNull.Value));
    }

    private static Func<Scope, BsonValue?> Path(string path, bool ofVariable)
    {
        var names = path.Split('.');
        return ofVariable
            ? scope => Walk(scope.Variables!.Find(names[0]), names, 1)
            : scope => Walk(scope.Document, names, 0);
    }

    // A path through a list yields what it yields for the list's objects.
    private static BsonValue? Walk(BsonValue? value, string[] names, int from)
    {
        for (var i = from; i < names.Length; i++)
        {
            switch (value)
            {
                case BsonDocument document:
                    value = document.TryGetValue(names[i], out var member) ? member : null;
                    break;
                case BsonArray array:
                    var (list, rest) = (array, i);
                    return new BsonArray(list.Where(item => item is BsonDocument).Select(item => Walk(item, names, rest)).OfType<BsonValue>());
                default:
                    return null;
            }
        }

        return value;
    }

    private static Func<Scope, BsonValue?> Compared(Func<Scope, BsonValue?>[] arguments, Func<int, bool> holds) =>
        scope => (BsonBoolean)holds(Compare(arguments[0](scope), arguments[1](scope)));

    private static int Compare(BsonValue? left, BsonValue? right) => (left, right) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        ({ IsNumeric: true }, { IsNumeric: true }) => ExactNumber.Compare(left, right),
        _ => left.CompareTo(right),
    };

    private static BsonDecimal128 Sum(IEnumerable<BsonValue?> values)
    {
        var sum = ExactNumber.Zero;
        foreach (var value in values.Where(value => value is { IsNumeric: true }))
        {
            if (!ExactNumber.TryRead(value, out var number))
            {
                return new BsonDecimal128(Decimal128.QNaN);
            }

            sum += number;
        }

        return sum.ToBson();
    }

    private static BsonValue Product(IEnumerable<BsonValue?> values)
    {
        ExactNumber? product = null;
        foreach (var value in values)
        {
            if (!ExactNumber.TryRead(value, out var number))
            {
                return value is { IsNumeric: true } ? new BsonDecimal128(Decimal128.QNaN) : BsonNull.Value;
            }

            product = product is null ? number : product.Value * number;
        }

        return product?.ToBson() ?? new BsonDecimal128(1);
    }

    // What has no decimals to round, such as infinity, stays what it is.
    private static BsonValue? Rounded(BsonValue? value, BsonValue? decimals) =>
        ExactNumber.TryRead(value, out var number) ? number.Round(decimals!.ToInt32()).ToBson() : value;

    private static BsonArray ListOf(BsonValue? value) =>
        value as BsonArray
            ?? throw new InvalidOperationException($"A rule takes {value?.BsonType.ToString() ?? "nothing"} for a list; it has to say when it is asked.");

    private static bool IsTrue(BsonValue? value) => value switch
    {
        null or BsonNull or BsonUndefined => false,
        BsonBoolean boolean => boolean.Value,
        { IsNumeric: true } => ExactNumber.Compare(value, 0) != 0,
        _ => true,
    };

    private readonly record struct Scope(BsonDocument Document, Variable? Variables);

    private sealed record Variable(string Name, BsonValue Value, Variable? Outer)
    {
        public BsonValue Find(string name) => Name == name ? Value
            : Outer?.Find(name) ?? throw new InvalidOperationException($"A rule speaks of the variable {name}, which it does not declare.");
    }
}
