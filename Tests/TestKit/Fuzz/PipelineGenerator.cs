using MongoDB.Bson;

namespace Platform.Tests.TestKit.Fuzz;

/// <summary>
/// Commands with pipelines that are mostly well formed and now and then not: every stage and operator by name, stages in any order, empty ones,
/// nested ones, collections that do not exist, and values at the ends of their types. The same seed makes the same commands.
/// </summary>
internal sealed class PipelineGenerator(int seed)
{
    /// <summary>The collections with documents in them, and the view.</summary>
    public static readonly string[] Collections = ["a", "b"];

    private const int Deepest = 3;

    private static readonly string[] s_sources = ["a", "a", "b", "v", "missing", "of_missing"];
    private static readonly string[] s_fields = ["_id", "a", "b", "c", "c.d", "list", "list.0", "when", "where", "text", "$a", "", "a.$", "missing"];

    private static readonly string[] s_stages =
    [
        "$match", "$match", "$match", "$project", "$project", "$set", "$set", "$addFields", "$unset", "$group", "$group", "$sort", "$limit", "$skip", "$count",
        "$sample", "$unwind",
        "$unwind", "$lookup", "$lookup", "$lookup", "$facet", "$facet", "$unionWith", "$unionWith", "$graphLookup", "$replaceWith", "$replaceRoot", "$bucket",
        "$bucketAuto",
        "$sortByCount", "$redact", "$setWindowFields", "$densify", "$fill",
    ];

    // Those that stand in one place only, are refused, or do not exist.
    private static readonly string[] s_others =
    [
        "$documents", "$geoNear", "$collStats", "$indexStats", "$out", "$merge", "$currentOp", "$listSessions", "$listLocalSessions", "$planCacheStats",
        "$changeStream",
        "$search", "$vectorSearch", "$querySettings", "$inverseMatch", "$_internalInhibitOptimization", "$nothing",
    ];

    private static readonly string[] s_accumulators =
    [
        "$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet", "$count", "$stdDevPop", "$stdDevSamp", "$mergeObjects", "$top", "$topN",
        "$bottom", "$bottomN", "$firstN", "$lastN", "$maxN", "$minN", "$median", "$percentile", "$rank", "$denseRank", "$documentNumber", "$shift",
        "$expMovingAvg", "$integral", "$derivative", "$covariancePop", "$linearFill", "$locf", "$accumulator",
    ];

    private static readonly string[] s_operators =
    [
        "$abs", "$add", "$ceil", "$divide", "$exp", "$floor", "$ln", "$log", "$log10", "$mod", "$multiply", "$pow", "$round", "$sqrt", "$subtract", "$trunc",
        "$arrayElemAt", "$arrayToObject", "$concatArrays", "$first", "$in", "$indexOfArray", "$isArray", "$last", "$objectToArray", "$reverseArray", "$size",
        "$slice",
        "$and", "$not", "$or", "$cmp", "$eq", "$gt", "$gte", "$lt", "$lte", "$ne", "$cond", "$ifNull", "$bitAnd", "$bitOr", "$bitXor", "$bitNot",
        "$dayOfMonth", "$dayOfWeek", "$dayOfYear", "$hour", "$isoDayOfWeek", "$isoWeek", "$isoWeekYear", "$millisecond", "$minute", "$month", "$second",
        "$week", "$year",
        "$toDate", "$toBool", "$toDecimal", "$toDouble", "$toInt", "$toLong", "$toObjectId", "$toString", "$type", "$isNumber", "$mergeObjects",
        "$allElementsTrue",
        "$anyElementTrue", "$setDifference", "$setEquals", "$setIntersection", "$setIsSubset", "$setUnion", "$concat", "$indexOfBytes", "$indexOfCP", "$split",
        "$strcasecmp", "$strLenBytes", "$strLenCP", "$substr", "$substrBytes", "$substrCP", "$toLower", "$toUpper", "$sin", "$cos", "$tan", "$asin", "$acos",
        "$atan",
        "$atan2", "$sinh", "$degreesToRadians", "$tsSecond", "$tsIncrement", "$binarySize", "$bsonSize", "$rand", "$literal", "$meta", "$toHashedIndexKey",
        "$toUUID",
        "$min", "$max", "$avg", "$sum", "$stdDevPop", "$function", "$sampleRate", "$const", "$nothing",
    ];

    private static readonly Dictionary<string, string[]> s_named = new(StringComparer.Ordinal)
    {
        ["$map"] = ["input", "as", "in"],
        ["$filter"] = ["input", "as", "cond", "limit"],
        ["$reduce"] = ["input", "initialValue", "in"],
        ["$let"] = ["vars", "in"],
        ["$cond"] = ["if", "then", "else"],
        ["$switch"] = ["branches", "default"],
        ["$dateToString"] = ["date", "format", "timezone", "onNull"],
        ["$dateFromString"] = ["dateString", "format", "timezone", "onError", "onNull"],
        ["$dateFromParts"] = ["year", "month", "day", "hour", "minute", "second", "millisecond", "timezone", "isoWeekYear"],
        ["$dateToParts"] = ["date", "timezone", "iso8601"],
        ["$dateAdd"] = ["startDate", "unit", "amount", "timezone"],
        ["$dateSubtract"] = ["startDate", "unit", "amount", "timezone"],
        ["$dateDiff"] = ["startDate", "endDate", "unit", "timezone", "startOfWeek"],
        ["$dateTrunc"] = ["date", "unit", "binSize", "timezone", "startOfWeek"],
        ["$regexMatch"] = ["input", "regex", "options"],
        ["$regexFind"] = ["input", "regex", "options"],
        ["$regexFindAll"] = ["input", "regex", "options"],
        ["$replaceOne"] = ["input", "find", "replacement"],
        ["$replaceAll"] = ["input", "find", "replacement"],
        ["$trim"] = ["input", "chars"],
        ["$ltrim"] = ["input", "chars"],
        ["$zip"] = ["inputs", "useLongestLength", "defaults"],
        ["$getField"] = ["field", "input"],
        ["$setField"] = ["field", "input", "value"],
        ["$unsetField"] = ["field", "input"],
        ["$sortArray"] = ["input", "sortBy"],
        ["$convert"] = ["input", "to", "onError", "onNull"],
        ["$firstN"] = ["input", "n"],
        ["$maxN"] = ["input", "n"],
        ["$percentile"] = ["input", "p", "method"],
        ["$median"] = ["input", "method"],
        ["$topN"] = ["n", "sortBy", "output"],
        ["$top"] = ["sortBy", "output"],
        ["$expMovingAvg"] = ["input", "N", "alpha"],
        ["$shift"] = ["output", "by", "default"],
        ["$derivative"] = ["input", "unit"],
    };

    private readonly Random _random = new(seed);

    /// <summary>The next command.</summary>
    public BsonDocument Next()
    {
        var command = _random.Next(20) switch
        {
            < 13 => Aggregate(),
            < 15 => Find(),
            15 => new BsonDocument { { "count", Source() }, { "query", Filter(0) } },
            16 => new BsonDocument { { "distinct", Source() }, { "key", Field() }, { "query", Filter(0) } },
            17 => new BsonDocument { { "update", Pick(Collections) }, { "updates", new BsonArray { Statement() } } },
            18 => new BsonDocument
            {
                { "findAndModify", Pick(Collections) },
                { "query", Filter(0) },
                { "update", Update() },
                { "upsert", Chance(3) },
                { "fields", Projection() },
            },
            _ => new BsonDocument { { "create", "w" + _random.Next(5) }, { "viewOn", Source() }, { "pipeline", Pipeline(0, 3) } },
        };
        if (_random.Next(12) == 0 && command.GetElement(0).Name != "create")
        {
            return new BsonDocument { { "explain", command }, { "verbosity", Pick("queryPlanner", "executionStats", "allPlansExecution") } };
        }

        if (!command.Contains("create") && !command.Contains("update"))
        {
            command["maxTimeMS"] = 5_000;
        }

        return command;
    }

    private BsonDocument Aggregate()
    {
        var documents = Chance(8);
        var pipeline = Pipeline(0, 5);
        if (documents)
        {
            pipeline.Insert(0, new BsonDocument("$documents", Chance(2) ? [] : new BsonArray { Document(), Document() }));
        }

        if (Chance(6))
        {
            pipeline.Add(Output());
        }

        var command = new BsonDocument
        {
            { "aggregate", documents || Chance(30) ? 1 : Source() },
            { "pipeline", pipeline },
            { "cursor", Chance(4) ? new BsonDocument("batchSize", _random.Next(3)) : [] },
        };
        if (Chance(10))
        {
            command.Add("let", new BsonDocument("x", Expression(1)));
        }

        if (Chance(20))
        {
            command.Add("hint", Chance(2) ? "_id_" : new BsonDocument(Field(), 1));
        }

        if (Chance(20))
        {
            command.Add("collation", new BsonDocument { { "locale", "en" }, { "strength", _random.Next(6) } });
        }

        if (Chance(20))
        {
            command.Remove("cursor");
            command.Add("explain", true);
        }

        return command;
    }

    private BsonDocument Find()
    {
        var find = new BsonDocument { { "find", Source() }, { "filter", Filter(0) } };
        if (Chance(2))
        {
            find.Add("projection", Projection());
        }

        if (Chance(2))
        {
            find.Add("sort", Sort());
        }

        if (Chance(3))
        {
            find.Add("skip", Number());
        }

        if (Chance(3))
        {
            find.Add("limit", Number());
        }

        return find;
    }

    private BsonDocument Statement() => new() { { "q", Filter(0) }, { "u", Update() }, { "multi", Chance(2) }, { "upsert", Chance(3) } };

    private BsonValue Update() => Chance(2)
        ? Pipeline(0, 3)
        : new BsonDocument(
            Pick("$set", "$inc", "$push", "$pull", "$unset", "$rename", "$min", "$mul", "$addToSet", "$pop", "$bit", "$currentDate"),
            new BsonDocument(Field(), Value(0)));

    private BsonArray Pipeline(int depth, int most)
    {
        var pipeline = new BsonArray();
        for (var stages = _random.Next(most + 1); stages > 0; stages--)
        {
            pipeline.Add(Chance(80) ? Junk() : Stage(depth));
        }

        return pipeline;
    }

    private BsonDocument Stage(int depth)
    {
        var name = Pick(Chance(15) ? s_others : s_stages);
        return name is "$out" or "$merge" ? Output() : new BsonDocument(name, Chance(60) ? Junk() : Argument(name, depth + 1));
    }

    private BsonDocument Output()
    {
        BsonValue target = Chance(4)
            ? new BsonDocument { { "db", Pick("fuzz", "fuzz_other") }, { "coll", "target" } }
            : Pick("target", "target", "a", "missing_too", "v", "", "system.x");
        return Chance(2)
            ? new BsonDocument("$out", target)
            : new BsonDocument("$merge", Chance(2) ? target : new BsonDocument
            {
                { "into", target }, { "on", Chance(2) ? "_id" : Field() },
                { "whenMatched", Chance(4) ? Pipeline(2, 2) : Pick("replace", "merge", "keepExisting", "fail", "nothing") },
                { "whenNotMatched", Pick("insert", "discard", "fail", "nothing") },
            });
    }

    private BsonValue Argument(string stage, int depth)
    {
        switch (stage)
        {
            case "$match" or "$inverseMatch":
                return Filter(depth);
            case "$project":
                return Projection();
            case "$set" or "$addFields":
                return Fields(depth);
            case "$unset":
                return Chance(2) ? Field() : new BsonArray { Field(), Field() };
            case "$group":
                var group = new BsonDocument("_id", Chance(4) ? BsonNull.Value : Expression(depth));
                return group.AddRange(Accumulators(depth));
            case "$sort":
                return Sort();
            case "$limit" or "$skip":
                return Number();
            case "$count":
                return Chance(4) ? Pick("", "$n", "a.b", "_id") : "n";
            case "$sample":
                return new BsonDocument("size", Number());
            case "$unwind":
                return Chance(2)
                    ? "$" + Field()
                    : new BsonDocument { { "path", "$" + Field() }, { "includeArrayIndex", Field() }, { "preserveNullAndEmptyArrays", Chance(2) } };
            case "$lookup":
                var lookup = new BsonDocument { { "from", Source() }, { "as", Field() } };
                if (Chance(2) || depth > Deepest)
                {
                    lookup.Add("localField", Field()).Add("foreignField", Field());
                }

                if (Chance(2) && depth <= Deepest)
                {
                    lookup.Add("let", new BsonDocument("y", Expression(depth))).Add("pipeline", Pipeline(depth, 3));
                }

                return lookup;
            case "$facet":
                var facets = new BsonDocument();
                for (var i = _random.Next(3); i >= 0 && depth <= Deepest; i--)
                {
                    facets["f" + i] = Pipeline(depth, 3);
                }

                return facets;
            case "$unionWith":
                return Chance(3) ? Source()
                    : Chance(6) ? new BsonDocument("pipeline", new BsonArray { new BsonDocument("$documents", new BsonArray { Document() }) })
                    : new BsonDocument { { "coll", Source() }, { "pipeline", depth > Deepest ? [] : Pipeline(depth, 3) } };
            case "$graphLookup":
                return new BsonDocument
                {
                    { "from", Source() }, { "startWith", Expression(depth) }, { "connectFromField", Field() }, { "connectToField", Field() }, { "as", Field() },
                    { "maxDepth", _random.Next(4) }, { "restrictSearchWithMatch", Filter(depth) },
                };
            case "$replaceRoot":
                return new BsonDocument("newRoot", Expression(depth));
            case "$replaceWith" or "$sortByCount" or "$redact":
                return Chance(2) ? Pick("$$ROOT", "$$KEEP", "$$PRUNE", "$c") : Chance(2) ? new BsonDocument("n", Expression(depth)) : Expression(depth);
            case "$bucket":
                return new BsonDocument
                {
                    { "groupBy", Expression(depth) },
                    { "boundaries", new BsonArray { Value(0), Value(0), Value(0) } },
                    { "default", Value(0) },
                    { "output", Accumulators(depth) },
                };
            case "$bucketAuto":
                return new BsonDocument { { "groupBy", Expression(depth) }, { "buckets", Number() }, { "output", Accumulators(depth) } };
            case "$setWindowFields":
                return new BsonDocument
                {
                    { "partitionBy", Expression(depth) }, { "sortBy", Sort() },
                    { "output", new BsonDocument(Field(), new BsonDocument(
                        Pick(s_accumulators),
                        Expression(depth)) { { "window", new BsonDocument(Pick("documents", "range"), new BsonArray { Bound(), Bound() }) } }) },
                };
            case "$densify":
                return new BsonDocument { { "field", Field() }, { "range", new BsonDocument
                {
                    { "step", Pick<BsonValue>(1, 2.5, 0, -1) },
                    { "bounds", Chance(2) ? Pick("full", "partition") : new BsonArray { 1, 20 } },
                } } };
            case "$fill":
                return new BsonDocument { { "sortBy", Sort() }, {
                    "output",
                    new BsonDocument(Field(), Chance(2) ? new BsonDocument("method", Pick("linear", "locf")) : new BsonDocument("value", Expression(depth)))
                } };
            case "$documents":
                return Chance(3) ? [] : new BsonArray { Document(), Expression(depth) };
            case "$geoNear":
                return new BsonDocument { { "near", Point() }, { "distanceField", Field() }, { "key", "where" }, { "query", Filter(depth) } };
            case "$collStats":
                return new BsonDocument(Pick("count", "storageStats", "latencyStats"), new BsonDocument());
            default:
                return Chance(2) ? [] : new BsonDocument(Field(), Value(0));
        }
    }

    private BsonValue Bound() => Pick<BsonValue>("unbounded", "current", -1, 0, 1, 5);

    private BsonDocument Accumulators(int depth)
    {
        var fields = new BsonDocument();
        for (var i = _random.Next(3); i > 0; i--)
        {
            var name = Pick(s_accumulators);
            fields["x" + i] = new BsonDocument(
                name, name == "$count" ? new BsonDocument() : s_named.TryGetValue(name, out var names) ? Named(names, depth) : Expression(depth));
        }

        return fields;
    }

    private BsonDocument Fields(int depth)
    {
        var fields = new BsonDocument();
        for (var i = _random.Next(3); i >= 0; i--)
        {
            fields[Field()] = Expression(depth);
        }

        return fields;
    }

    private BsonDocument Projection()
    {
        var fields = new BsonDocument();
        for (var i = _random.Next(3); i > 0; i--)
        {
            fields[Field()] = _random.Next(6) switch
            {
                < 2 => 1,
                2 => 0,
                3 => new BsonDocument("$slice", Number()),
                4 => new BsonDocument("$meta", Pick("textScore", "indexKey", "recordId", "nothing")),
                _ => Expression(1),
            };
        }

        return fields;
    }

    private BsonDocument Sort()
    {
        var keys = new BsonDocument();
        for (var i = _random.Next(3); i >= 0; i--)
        {
            keys[Field()] = Chance(20) ? Junk() : Pick<BsonValue>(1, -1, 1.0, new BsonDocument("$meta", "textScore"));
        }

        return keys;
    }

    private BsonDocument Filter(int depth)
    {
        var filter = new BsonDocument();
        for (var i = _random.Next(3); i > 0; i--)
        {
            switch (_random.Next(depth > Deepest ? 4 : 10))
            {
                case < 3:
                    filter[Field()] = Value(0);
                    break;
                case < 6:
                    filter[Field()] = new BsonDocument(
                        Pick(
                            "$eq",
                            "$gt",
                            "$gte",
                            "$lt",
                            "$lte",
                            "$ne",
                            "$in",
                            "$nin",
                            "$exists",
                            "$type",
                            "$mod",
                            "$regex",
                            "$size",
                            "$all",
                            "$bitsAllSet",
                            "$bitsAnyClear",
                            "$elemMatch",
                            "$not",
                            "$geoWithin",
                            "$near",
                            "$geoIntersects"),
                        Chance(3) ? new BsonArray { Value(0), Value(0) } : Chance(5) ? Filter(depth + 1) : Value(0));
                    break;
                case 6 or 7:
                    filter[Pick("$and", "$or", "$nor")] = Chance(10) ? Junk() : new BsonArray { Filter(depth + 1), Filter(depth + 1) };
                    break;
                case 8:
                    filter["$expr"] = Expression(depth + 1);
                    break;
                default:
                    filter[Pick("$jsonSchema", "$text", "$where", "$comment", "$alwaysFalse", "$alwaysTrue", "$sampleRate")] = Chance(2) ? Value(0)
                        : Chance(2) ? new BsonDocument("$search", "x")
                        : new BsonDocument { { "required", new BsonArray { "a" } }, { "maxProperties", 5 } };
                    break;
            }
        }

        return filter;
    }

    private BsonValue Expression(int depth)
    {
        if (depth > Deepest || Chance(3))
        {
            return Chance(2) ? "$" + Field() : Chance(4)
                ? Pick("$$ROOT", "$$NOW", "$$CURRENT.a", "$$REMOVE", "$$x", "$$y", "$$this", "$$value", "$$CLUSTER_TIME", "$$SEARCH_META", "$$DESCEND")
                : Value(0);
        }

        switch (_random.Next(8))
        {
            case 0:
                return new BsonDocument { { "p", Expression(depth + 1) }, { "q", Expression(depth + 1) } };
            case 1:
                return new BsonArray { Expression(depth + 1), Expression(depth + 1) };
            case 2 or 3:
                var (name, names) = s_named.ElementAt(_random.Next(s_named.Count));
                return new BsonDocument(name, Named(names, depth));
            case 4:
                // Small numbers: what the range holds is made at once.
                return new BsonDocument("$range", new BsonArray { 0, _random.Next(-3, 30), _random.Next(-2, 5) });
            default:
                var operands = new BsonArray();
                for (var i = _random.Next(4); i > 0; i--)
                {
                    operands.Add(Expression(depth + 1));
                }

                return new BsonDocument(Pick(s_operators), Chance(3) ? Expression(depth + 1) : operands);
        }
    }

    private BsonDocument Named(string[] names, int depth)
    {
        var arguments = new BsonDocument();
        foreach (var name in names.Where(_ => !Chance(8)))
        {
            arguments[name] = name switch
            {
                "as" => Pick("this", "y", "", "Y"),
                "vars" => new BsonDocument("x", Expression(depth + 1)),
                "unit" => Pick("year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "nothing"),
                "timezone" => Pick("UTC", "Europe/Berlin", "+05:30", "nowhere", ""),
                "format" => Pick("%Y-%m-%d", "%", "%%%q", "%G-%V-%u", ""),
                "regex" => Pick<BsonValue>("a", "(", "(a+)+$", "", new BsonRegularExpression("x", "i")),
                "options" => Pick("i", "msx", "q", ""),
                "branches" => new BsonArray { new BsonDocument { { "case", Expression(depth + 1) }, { "then", Expression(depth + 1) } } },
                "sortBy" => Sort(),
                "n" or "N" or "by" => Number(),
                "p" => new BsonArray { 0.5, Value(0) },
                "method" => "approximate",
                "field" => Chance(2) ? Field() : new BsonDocument("$literal", Field()),
                "to" => Pick<BsonValue>("int", "string", "date", "objectId", "decimal", "bool", 99, "nothing"),
                "inputs" => new BsonArray { Expression(depth + 1), Expression(depth + 1) },
                "amount" or "binSize" => Chance(2) ? 1 : Value(0),
                _ => Expression(depth + 1),
            };
        }

        return arguments;
    }

    private BsonDocument Document() => new() { { "_id", _random.Next(5) }, { "a", Value(0) }, { "list", new BsonArray { Value(0), Value(0) } } };

    private BsonValue Number() => _random.Next(10) switch
    {
        0 => 0,
        1 => -1,
        2 => int.MaxValue,
        3 => long.MaxValue,
        4 => long.MinValue,
        5 => 1.5,
        6 => double.NaN,
        7 => new BsonDecimal128(3m),
        _ => _random.Next(1, 6),
    };

    private static BsonDocument Point() => new() { { "type", "Point" }, { "coordinates", new BsonArray { 7.1, 50.7 } } };

    private BsonValue Value(int depth) => _random.Next(24) switch
    {
        < 5 => _random.Next(6),
        5 => Pick("", "a", "x y", "ä", "$a", "$$ROOT", "$count", new string('l', 300)),
        6 => BsonNull.Value,
        7 => Pick<BsonValue>(double.NaN, double.PositiveInfinity, -0.0, double.MaxValue, 1e-320),
        8 => Pick<BsonValue>(long.MaxValue, long.MinValue, int.MinValue),
        9 => Pick<BsonValue>(Decimal128.MaxValue, Decimal128.QNaN, new Decimal128(1.10m)),
        10 => Pick(new BsonDateTime(0), new BsonDateTime(long.MaxValue), new BsonDateTime(long.MinValue), new BsonDateTime(1_700_000_000_000)),
        11 => true,
        12 => ObjectId.Empty,
        13 => new BsonRegularExpression("a", "i"),
        14 => new BsonBinaryData([1, 2, 3]),
        15 => Pick<BsonValue>(BsonMinKey.Value, BsonMaxKey.Value, BsonUndefined.Value),
        16 => new BsonTimestamp(long.MaxValue),
        17 => new BsonJavaScript("x"),
        18 => Point(),
        19 when depth < 3 => new BsonArray { Value(depth + 1), Value(depth + 1) },
        20 when depth < 3 => new BsonDocument { { "d", Value(depth + 1) }, { Pick("$x", "e", "", "f.g"), Value(depth + 1) } },
        21 => new BsonArray(),
        22 => new BsonDocument(),
        _ => "$" + Pick(s_fields),
    };

    private BsonValue Junk() => Chance(6) ? Deep() : Chance(2)
        ? Value(0)
        : Pick<BsonValue>(new BsonDocument(), new BsonArray(), 1, "", BsonNull.Value, new BsonDocument { { "$match", new BsonDocument() }, { "$limit", 1 } });

    private static BsonDocument Deep()
    {
        var deep = new BsonDocument("x", 1);
        for (var i = 0; i < 60; i++)
        {
            deep = new BsonDocument("x", deep);
        }

        return deep;
    }

    private string Source() => Pick(s_sources);

    private string Field() => Chance(6) ? Pick(s_fields) : s_fields[_random.Next(10)];

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private T Pick<T>(params ReadOnlySpan<T> from) => from[_random.Next(from.Length)];
}
