using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Aggregations that the backend alone answers wrongly, with generated data against a model.</summary>
[Collection(GatewayCollection.Name)]
public sealed class EngineFaultTests(GatewayFixture gateway)
{
    private static readonly string[] s_weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("+05:30")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("America/Sao_Paulo")]
    [InlineData("America/Havana")]
    [InlineData("Australia/Lord_Howe")]
    public async Task A_date_is_truncated_as_a_calendar_of_its_zone_says(string? zone)
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        var clock = zone switch
        {
            null => TimeZoneInfo.Utc,
            "+05:30" => TimeZoneInfo.CreateCustomTimeZone(zone, new TimeSpan(5, 30, 0), zone, zone),
            _ => TimeZoneInfo.FindSystemTimeZoneById(zone),
        };
        var random = new Random(11);
        var (first, last) = (new DateTime(1992, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        List<DateTime> dates = [first, first.AddMilliseconds(-1), new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc)];
        for (var day = first; day < last; day = day.AddDays(1))
        {
            // Around changes of the clock, and at random otherwise.
            if (day.Year % 6 == 2 && clock.GetUtcOffset(day) != clock.GetUtcOffset(day.AddDays(1)))
            {
                dates.AddRange(Enumerable.Range(-1, 30).Select(i => day.AddMinutes(i * 60)));
            }
            else if (random.Next(60) == 0)
            {
                dates.Add(day.AddMilliseconds(random.Next(86_400_000)));
            }
        }

        await documents.InsertManyAsync(dates.Select((date, i) => new BsonDocument { { "_id", i }, { "d", date } }), null, Cancel);
        var cases = (from unit in (string[])["day", "week", "month", "quarter", "year"]
                     from size in (int[])[1, 2, random.Next(3, 20)]
                     select (Unit: unit, Size: size, Start: random.Next(7))).ToList();
        var fields = new BsonDocument("_id", 1);
        for (var i = 0; i < cases.Count; i++)
        {
            var arguments =
                new BsonDocument { { "date", "$d" }, { "unit", cases[i].Unit }, { "binSize", cases[i].Size }, { "startOfWeek", s_weekdays[cases[i].Start] } };
            fields.Add($"t{i}", new BsonDocument("$dateTrunc", zone is null ? arguments : arguments.Add("timezone", zone)));
        }

        var found = await documents.Aggregate().Project(fields).ToListAsync(Cancel);
        Assert.Equal(dates.Count, found.Count);
        foreach (var document in found)
        {
            var date = dates[document["_id"].AsInt32];
            for (var i = 0; i < cases.Count; i++)
            {
                var expected = Truncated(date, cases[i].Unit, cases[i].Size, cases[i].Start, clock);
                Assert.True(expected == document[$"t{i}"].ToUniversalTime(), $"{date:O} by {cases[i]}: {document[$"t{i}"]}, not {expected:O}");
            }
        }
    }

    [Fact]
    public async Task A_date_is_truncated_wherever_an_expression_can_stand_and_data_stays_as_it_is()
    {
        var database = gateway.NewDatabase();
        var documents = database.GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(BsonDocument.Parse("{ _id: 1, d: ISODate('2021-01-28T00:30:00Z') }"), null, Cancel);
        const string day =
            "{ $dateTrunc: { date: '$d', unit: 'day' } }", midnight = "ISODate('2021-01-28T00:00:00Z')", equal = $"{{ $expr: {{ $eq: [{day}, {midnight}] }} }}";
        foreach (var command in (string[])
        [
            $"{{ find: 'c', filter: {equal} }}", $"{{ find: 'c', filter: {{ $and: [{{ $or: [{equal}] }}] }} }}",
            $"{{ find: 'c', filter: {{ $expr: {{ $eq: ['$$day', {midnight}] }} }}, let: {{ day: {{ $dateTrunc: {{ date: ISODate('2021-01-28T00:30:00Z'), "
                + $"unit: 'day' }} }} }} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $match: {equal} }}], cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $set: {{ t: {{ $ifNull: [null, {day}] }} }} }}, {{ $match: {{ t: {midnight} }} }}], cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $group: {{ _id: {day}, n: {{ $max: {day} }} }} }}, {{ $match: {{ _id: {midnight}, n: {midnight} }} }}], "
                + $"cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $sortByCount: {day} }}, {{ $match: {{ _id: {midnight} }} }}], cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $lookup: {{ from: 'c', as: 'l', let: {{ d: '$d' }}, pipeline: [{{ $match: {{ $expr: {{ $lt: [{day}, '$$d'] "
                + $"}} }} }}, {{ $set: {{ t: {day} }} }}] }} }}, {{ $match: {{ 'l.t': {midnight} }} }}], cursor: {{}} }}",
            $"{{ aggregate: 'c', pipeline: [{{ $facet: {{ f: [{{ $replaceWith: {{ t: {day} }} }}] }} }}, {{ $match: {{ 'f.t': {midnight} }} }}], "
                + $"cursor: {{}} }}",
        ])
        {
            Assert.Single((await database.RunCommandAsync<BsonDocument>(command, cancellationToken: Cancel))["cursor"]["firstBatch"].AsBsonArray);
        }

        Assert.Equal(115, (await Assert.ThrowsAsync<MongoCommandException>(() => AggregateAsync(
            documents, [BsonDocument.Parse($"{{ $lookup: {{ from: 'c', as: 'l', let: {{ day: {day} }}, pipeline: [] }} }}")]))).Code);
        Assert.Equal(1, await documents.CountDocumentsAsync(equal, null, Cancel));
        Assert.Equal(
            DateTime.Parse("2021-01-28T00:00:00Z", null).ToUniversalTime(),
            (await documents.Find("{}").Project($"{{ t: {day} }}").SingleAsync(Cancel))["t"].ToUniversalTime());
        var set = new BsonDocumentStagePipelineDefinition<BsonDocument, BsonDocument>(
            [BsonDocument.Parse($"{{ $set: {{ t: {day}, literal: {{ $literal: {day} }} }} }}")]);
        await documents.UpdateOneAsync(equal, set, null, Cancel);
        var data = BsonDocument.Parse(day);
        await documents.UpdateOneAsync("{}", new BsonDocument("$set", new BsonDocument("data", data)), null, Cancel);
        var stored = await documents.Find("{}").SingleAsync(Cancel);
        Assert.Equal((data, data), (stored["data"], stored["literal"]));
        Assert.Equal(BsonDocument.Parse($"{{ t: {midnight} }}")["t"], stored["t"]);
        Assert.Equal(stored["t"], (await documents.FindOneAndUpdateAsync<BsonDocument>(
            equal, set, new FindOneAndUpdateOptions<BsonDocument> { Projection = $"{{ p: {day} }}", ReturnDocument = ReturnDocument.After }, Cancel))["p"]);

        await database.RunCommandAsync<BsonDocument>($"{{ create: 'v', viewOn: 'c', pipeline: [{{ $set: {{ t: {day} }} }}] }}", cancellationToken: Cancel);
        Assert.Equal(stored["t"], (await database.GetCollection<BsonDocument>("v").Find("{}").SingleAsync(Cancel))["t"]);
        await database.RunCommandAsync<BsonDocument>($"{{ create: 'w', validator: {equal} }}", cancellationToken: Cancel);
        await database.GetCollection<BsonDocument>("w").InsertOneAsync(BsonDocument.Parse("{ d: ISODate('2021-01-28T00:30:00Z') }"), null, Cancel);
        Assert.Equal(1, (await documents.DeleteOneAsync(equal, Cancel)).DeletedCount);
    }

    [Theory]
    [InlineData("{ date: '$d', unit: '$unit' }", 115)]
    [InlineData("{ date: '$d', unit: 'day', binSize: '$n' }", 115)]
    [InlineData("{ date: '$d', unit: 'week', startOfWeek: { $concat: ['mon'] } }", 115)]
    [InlineData("{ date: '$d', unit: 'day', binSize: 0 }", 5439018)]
    [InlineData("{ date: '$d', unit: 'day', timezone: 'Nowhere' }", 40485)]
    [InlineData("{ date: '$n', unit: 'day' }", 5439012)]
    [InlineData("{ unit: 'day' }", 5439009)]
    public async Task What_cannot_be_truncated_is_refused(string arguments, int code)
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertOneAsync(BsonDocument.Parse("{ d: ISODate('2021-01-28T00:30:00Z'), n: 2 }"), null, Cancel);
        Assert.Equal(code, (await Assert.ThrowsAsync<MongoCommandException>(() =>
            documents.Aggregate().Project($"{{ t: {{ $dateTrunc: {arguments} }} }}").ToListAsync(Cancel))).Code);
    }

    [Fact]
    public async Task Pushed_values_come_in_the_order_of_the_sort()
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        var random = new Random(11);
        await documents.InsertManyAsync(Enumerable.Range(0, 300).OrderBy(_ => random.Next()).Select(i =>
        {
            var document = new BsonDocument
            {
                { "_id", i },
                { "g", random.Next(4) },
                { "k", random.Next(6) switch { 0 => BsonNull.Value, 1 => new BsonArray { random.Next(20), random.Next(20) }, _ => random.Next(20) } },
                { "e", new BsonDocument("k", random.Next(20)) },
            };
            return random.Next(5) switch { 0 => document, 1 => document.Add("x", BsonNull.Value), _ => document.Add("x", random.Next()) };
        }), null, Cancel);
        string[] sorts = ["{ _id: 1 }", "{ k: 1, _id: -1 }", "{ k: -1, _id: 1 }", "{ 'e.k': -1, _id: 1 }"];
        string[] between =
        [
            "",
            "{ $set: { y: 1 } },",
            "{ $limit: 250 },",
            "{ $match: { g: { $gt: 0 } } }, { $skip: 3 },",
            "{ $project: { g: 1, x: 1, k: 1, e: 1 } },",
            "{ $unset: 'e.z' },",
        ];
        string[] values = ["'$x'", "'$_id'", "{ a: '$x' }", "'$$ROOT'", "['$x', 1]"];
        foreach (var sort in sorts)
        {
            foreach (var stages in between)
            {
                var value = values[random.Next(values.Length)];
                var pipeline = $"[{{ $sort: {sort} }}, {stages} {{ $set: {{ v: {value} }} }}]";
                Dictionary<BsonValue, BsonArray> expected = [];
                foreach (var document in await AggregateAsync(pipeline))
                {
                    var pushed = expected.TryGetValue(document["g"], out var known) ? known : expected[document["g"]] = [];
                    if (document.TryGetValue("v", out var given))
                    {
                        pushed.Add(given);
                    }
                }

                foreach (var group in (string[])
                [
                    $"$group: {{ _id: '$g', v: {{ $push: {value} }}, n: {{ $sum: 1 }} }}",
                    $"$bucket: {{ groupBy: '$g', boundaries: [0, 1, 2, 3, 4], output: {{ v: {{ $push: {value} }} }} }}",
                ])
                {
                    var found = await AggregateAsync($"[{{ $sort: {sort} }}, {stages} {{ {group} }}]");
                    Assert.Equal(expected.Count, found.Count);
                    Assert.All(found, document => Assert.Equal(expected[document["_id"]], document["v"]));
                }
            }
        }

        Task<List<BsonDocument>> AggregateAsync(string pipeline) =>
            EngineFaultTests.AggregateAsync(documents, BsonSerializer.Deserialize<BsonArray>(pipeline).Select(stage => stage.AsBsonDocument));
    }

    [Theory]
    [InlineData("{ $project: { g: 1 } }", "$push")]
    [InlineData("{ $set: { k: 0 } }", "$first")]
    [InlineData("{ $unset: ['a', 'k'] }", "$last")]
    [InlineData("{ $replaceWith: { g: '$g' } }", "$push")]
    [InlineData("{ $unionWith: 'c' }", "$push")]
    public async Task A_group_whose_order_is_lost_before_it_is_refused(string stage, string accumulator)
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        var error = await Assert.ThrowsAsync<MongoCommandException>(() => AggregateAsync(
            documents, new[] { "{ $sort: { k: 1 } }", stage, $"{{ $group: {{ _id: '$g', v: {{ '{accumulator}': '$_id' }} }} }}" }.Select(BsonDocument.Parse)));
        Assert.Equal(115, error.Code);
        Assert.Contains(accumulator, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ $unset: 'd.y' }", "{ $set: { n: 1 } }")]
    [InlineData("{ $unset: ['d.y', 'a.b'] }", "{ $addFields: { n: 1 } }")]
    [InlineData("{ $project: { d: { y: 0 } } }", "{ $match: { _id: 1 } }", "{ $set: { n: 1 } }")]
    [InlineData("{ $project: { 'd.y': false } }", "{ $sort: { a: 1 } }", "{ $set: { n: 1 } }")]
    [InlineData("{ $unset: 'd.y' }", "{ $unset: 'e.f' }", "{ $set: { n: 1 } }")]
    public async Task An_excluded_embedded_field_makes_no_parent(params string[] stages)
    {
        var database = gateway.NewDatabase();
        await database.GetCollection<BsonDocument>("c").InsertOneAsync(new BsonDocument { { "_id", 1 }, { "a", 1 } }, null, Cancel);
        var expected = new BsonDocument { { "_id", 1 }, { "a", 1 }, { "n", 1 } };
        var parsed = stages.Select(BsonDocument.Parse).ToArray();
        Assert.Equal(expected, Assert.Single(await AggregateAsync(database.GetCollection<BsonDocument>("c"), parsed)));
        await database.RunCommandAsync<BsonDocument>(
            new BsonDocument { { "create", "v" }, { "viewOn", "c" }, { "pipeline", new BsonArray(parsed[..^1]) } }, cancellationToken: Cancel);
        Assert.Equal(expected, Assert.Single(await AggregateAsync(database.GetCollection<BsonDocument>("v"), parsed[^1..])));
    }

    [Theory]
    [InlineData("{ a: 1, n: NumberLong(0) }", 31254)]
    [InlineData("{ a: { b: true }, c: false }", 31254)]
    [InlineData("{ a: 0, 'b.c': 1 }", 31253)]
    [InlineData("{ _id: 0, a: 1 }", 0)]
    [InlineData("{ _id: 1, a: 0 }", 0)]
    public async Task A_projection_that_includes_and_excludes_is_refused_without_documents_too(string projection, int code)
    {
        var database = gateway.NewDatabase();
        foreach (var command in (string[])
        [
            $"{{ find: 'c', projection: {projection} }}", $"{{ aggregate: 'c', pipeline: [{{ $project: {projection} }}], cursor: {{}} }}",
            $"{{ findAndModify: 'c', query: {{}}, remove: true, fields: {projection} }}",
        ])
        {
            var thrown = await Record.ExceptionAsync(() => database.RunCommandAsync<BsonDocument>(command, cancellationToken: Cancel));
            Assert.Equal(code, (thrown as MongoCommandException)?.Code ?? 0);
        }
    }

    [Theory]
    [InlineData("{ $setWindowFields: { sortBy: { a: -1 }, output: { c: { $sum: 1 } } } }")]
    [InlineData("{ $fill: { sortBy: { a: -1, b: 1 }, output: { c: { method: 'locf' } } } }")]
    [InlineData("{ $count: 'n' }")]
    public async Task Documents_that_were_all_pruned_end_nothing(string stage)
    {
        var documents = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await documents.InsertManyAsync(Enumerable.Range(0, 20).Select(i => new BsonDocument("_id", i)), null, Cancel);
        var crashes = gateway.Crashes;
        Assert.Empty(await AggregateAsync(documents, [new BsonDocument("$redact", "$$PRUNE"), BsonDocument.Parse(stage)]));
        Assert.Equal(crashes, gateway.Crashes);
    }

    private static async Task<List<BsonDocument>> AggregateAsync(IMongoCollection<BsonDocument> documents, IEnumerable<BsonDocument> stages) =>
        await (await documents.AggregateAsync<BsonDocument>(stages.ToArray(), null, Cancel)).ToListAsync(Cancel);

    /// <summary>The beginning of the bin that a date is in, by the calendar of the zone.</summary>
    private static DateTime Truncated(DateTime date, string unit, int size, int startOfWeek, TimeZoneInfo clock)
    {
        var local = DateTime.SpecifyKind(TimeZoneInfo.ConvertTimeFromUtc(date, clock), DateTimeKind.Unspecified);
        var reference = new DateTime(2000, 1, 1);
        DateTime begin;
        if (unit is "day" or "week")
        {
            while (unit == "week" && (int)reference.DayOfWeek != startOfWeek)
            {
                reference = reference.AddDays(1);
            }

            var bin = unit == "week" ? size * 7 : size;
            begin = reference.AddDays(Math.Floor((local.Date - reference).Days / (double)bin) * bin);
        }
        else
        {
            var bin = unit switch { "month" => 1, "quarter" => 3, _ => 12 } * size;
            begin = reference.AddMonths((int)Math.Floor((((local.Year - 2000) * 12) + local.Month - 1) / (double)bin) * bin);
        }

        var offset = clock.IsInvalidTime(begin) ? clock.GetUtcOffset(begin.AddHours(-2))
            : clock.IsAmbiguousTime(begin) ? clock.GetAmbiguousTimeOffsets(begin).Max()
            : clock.GetUtcOffset(begin);
        return DateTime.SpecifyKind(begin - offset, DateTimeKind.Utc);
    }
}
