using MongoDB.Bson;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>What the gateway corrects in commands, and that it touches nothing else.</summary>
public sealed class CorrectionTests
{
    private const int Cases = 3_000;

    [Fact]
    public void The_new_root_of_an_update_loses_its_id_which_is_set_after_it()
    {
        var corrected = Corrected("""
            { update: 'c', updates: [
                { q: {}, u: [{ $set: { a: 1 } }, { $replaceWith: '$b' }] },
                { q: {}, u: { $set: { text: '$replaceWith' } } },
                { q: {}, u: [{ $replaceRoot: { newRoot: { $mergeObjects: ['$$ROOT', '$c'] } } }] }] }
            """);
        string[] after =
        [
            "{ $set: { _id: { $cond: [{ $eq: [{ $type: '$__gateway_id' }, 'missing'] }, '$_id', '$__gateway_id'] } } }",
            "{ $unset: '__gateway_id' }",
        ];
        string Root(string of) => $$"""
            { $replaceWith: { $let: { vars: { root: {{of}} }, in: { $cond: [{ $eq: [{ $type: '$$root' }, 'object'] },
              { $mergeObjects: [{ $unsetField: { field: '_id', input: '$$root' } }, { __gateway_id: '$$root._id' }] }, '$$root'] } } } }
            """;
        Assert.Equal(
            BsonDocument.Parse($$"""
                { update: 'c', updates: [
                    { q: {}, u: [{ $set: { a: 1 } }, {{Root("'$b'")}}, {{string.Join(',', after)}}] },
                    { q: {}, u: { $set: { text: '$replaceWith' } } },
                    { q: {}, u: [{{Root("{ $mergeObjects: ['$$ROOT', '$c'] }")}}, {{string.Join(',', after)}}] }] }
                """),
            corrected);
    }

    [Fact]
    public void A_count_becomes_the_group_that_it_stands_for_also_in_nested_pipelines()
    {
        const string group = "{ $group: { _id: null, n: { $sum: 1 } } }, { $project: { _id: 0 } }";
        Assert.Equal(
            BsonDocument.Parse($$"""
                { aggregate: 'c', pipeline: [
                    { $facet: { a: [{{group}}], b: [{ $unionWith: { coll: 'd', pipeline: [{{group}}] } }] } },
                    { $lookup: { from: 'd', as: 'x', pipeline: [{ $match: {} }, {{group}}] } },
                    { $group: { _id: 1, n: { $count: {} } } },
                    {{group}}], cursor: {} }
                """),
            Corrected("""
                { aggregate: 'c', pipeline: [
                    { $facet: { a: [{ $count: 'n' }], b: [{ $unionWith: { coll: 'd', pipeline: [{ $count: 'n' }] } }] } },
                    { $lookup: { from: 'd', as: 'x', pipeline: [{ $match: {} }, { $count: 'n' }] } },
                    { $group: { _id: 1, n: { $count: {} } } },
                    { $count: 'n' }], cursor: {} }
                """));
    }

    [Theory]
    [InlineData("{ find: 'c', filter: { $jsonSchema: SCHEMA } }")]
    [InlineData("{ count: 'c', query: { $or: [{ a: 1 }, { $jsonSchema: SCHEMA }] } }")]
    [InlineData("{ distinct: 'c', key: 'a', query: { $and: [{ $nor: [{ $jsonSchema: SCHEMA }] }] } }")]
    [InlineData("{ delete: 'c', deletes: [{ q: { $jsonSchema: SCHEMA }, limit: 0 }] }")]
    [InlineData("{ findAndModify: 'c', query: { $jsonSchema: SCHEMA }, remove: true }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $graphLookup: { from: 'c', restrictSearchWithMatch: { $jsonSchema: SCHEMA } } }], cursor: {} }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $geoNear: { near: [1, 1], query: { $jsonSchema: SCHEMA } } }], cursor: {} }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $facet: { a: [{ $match: { $jsonSchema: SCHEMA } }] } }], cursor: {} }")]
    [InlineData("{ create: 'v', viewOn: 'c', pipeline: [{ $match: { $jsonSchema: SCHEMA } }] }")]
    public void A_schema_is_put_into_known_keywords_wherever_a_filter_can_stand(string command)
    {
        var corrected = Corrected(command.Replace("SCHEMA", "{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }", StringComparison.Ordinal)).ToJson();
        Assert.DoesNotContain("anyOf", corrected, StringComparison.Ordinal);
        Assert.Contains("oneOf", corrected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_schema_keeps_every_value_that_it_names()
    {
        var binary = new BsonBinaryData([1, 2], (BsonBinarySubType)2);
        var schema = new BsonDocument
        {
            { "minProperties", 1 },
            {
                "properties",
                new BsonDocument("a", new BsonDocument("enum", new BsonArray { binary, new BsonDouble(-0.0), new BsonDateTime(253_402_300_799_999) }))
            },
        };
        var corrected = CommandCorrections.Command(
            new RawDocument(new BsonDocument { { "find", "c" }, { "filter", new BsonDocument("$jsonSchema", schema) } }.ToRaw())).ToTree();
        var kept = corrected["filter"]["$jsonSchema"]["properties"]["a"]["enum"].AsBsonArray;
        Assert.Equal(2, (int)kept[0].AsBsonBinaryData.SubType);
        Assert.Equal(BitConverter.DoubleToInt64Bits(-0.0), BitConverter.DoubleToInt64Bits(kept[1].AsDouble));
        Assert.Equal(253_402_300_799_999, kept[2].AsBsonDateTime.MillisecondsSinceEpoch);
    }

    [Theory]
    [InlineData("{ s: { $meta: 'textScore' } }", "{ $set: { s: { $meta: 'textScore' } } }")]
    [InlineData("{ s: { $meta: 'textScore' }, z: 0 }", "{ $project: { z: 0 } }, { $set: { s: { $meta: 'textScore' } } }")]
    [InlineData("{ _id: false, s: { $meta: 'textScore' } }", "{ $project: { _id: false } }, { $set: { s: { $meta: 'textScore' } } }")]
    public void A_projection_with_metadata_keeps_the_other_fields(string projection, string stages)
    {
        Assert.Equal(
            BsonDocument.Parse($"{{ aggregate: 'c', pipeline: [{stages}], cursor: {{}} }}"),
            Corrected($"{{ aggregate: 'c', pipeline: [{{ $project: {projection} }}], cursor: {{}} }}"));
        var find = ProjectionCorrection.Aggregation(
            Raw($"{{ find: 'c', filter: {{ a: 1 }}, projection: {projection}, sort: {{ b: 1 }}, skip: 2, limit: 5, batchSize: 3, maxTimeMS: 9 }}"));
        Assert.Equal(
            BsonDocument.Parse($"{{ aggregate: 'c', maxTimeMS: 9, pipeline: [{{ $match: {{ a: 1 }} }}, {{ $sort: {{ b: 1 }} }}, {{ $skip: NumberLong(2) }}, "
                + $"{{ $limit: NumberLong(5) }}, {stages}], cursor: {{ batchSize: 3 }} }}"),
            find?.ToTree());
    }

    [Theory]
    [InlineData("{ s: { $meta: 'textScore' }, z: 1 }")]
    [InlineData("{ s: { $meta: 'textScore' }, z: { $add: [1, 2] } }")]
    [InlineData("{ s: 1 }")]
    public void A_projection_that_includes_fields_stays(string projection) =>
        Assert.Null(ProjectionCorrection.Aggregation(Raw($"{{ find: 'c', projection: {projection} }}")));

    [Fact]
    public void Words_in_data_never_matter()
    {
        var random = new RandomBson(1);
        for (var i = 0; i < Cases; i++)
        {
            var data = random.Document();
            foreach (var command in Untouched(data))
            {
                var corrected = CommandCorrections.Command(command);
                Assert.True(corrected.Bytes.Equals(command.Bytes), $"Case {i} is changed: {Convert.ToHexString(command.Bytes.Span)}");
            }

            var statement = new BsonBuilder().Add("q"u8, BsonType.Document, new BsonBuilder().Add("_id"u8, BsonType.Document, data).Finish().Span)
                .Add("u"u8, BsonType.Document, new BsonBuilder().Add("$set"u8, BsonType.Document, data).Finish().Span).Finish();
            Assert.True(CommandCorrections.Statements(statement).Span.SequenceEqual(statement.Span), $"Case {i}: the statement is changed.");
        }
    }

    [Theory]
    [InlineData("{ find: 'c', filter: { a: { $eq: OPERATION }, b: OPERATION }, projection: { a: { $elemMatch: { b: OPERATION } } } }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $set: { a: { $literal: OPERATION } } }, { $match: { b: { c: OPERATION } } }, { $facet: { f: [{ $match: { b: "
        + "OPERATION } }] } }] }")]
    [InlineData("{ update: 'c', updates: [{ q: { a: OPERATION }, u: { $set: { a: OPERATION } } }] }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $set: { a: { $dateTrunc: { date: '$d', unit: 'hour' } }, b: { $dateTrunc: { date: '$d', unit: 'days' } }, c: "
        + "{ $dateTrunc: [] } } }] }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $group: { _id: '$g', all: { $push: '$a' } } }, { $sort: { a: 1 } }, { $group: { _id: null, all: { $push: "
        + "'$a' }, first: { $first: '$b' } } }] }")]
    public void An_operation_in_data_or_without_a_fault_stays(string command)
    {
        var raw = Raw(command.Replace("OPERATION", "{ $dateTrunc: { date: '$d', unit: 'day' } }", StringComparison.Ordinal));
        Assert.True(CommandCorrections.Command(raw).Bytes.Equals(raw.Bytes));
    }

    [Fact]
    public void What_stands_beside_a_correction_stays_as_it_is()
    {
        var random = new RandomBson(2);
        for (var i = 0; i < Cases; i++)
        {
            var data = random.Document();
            foreach (var (command, expected) in Beside(data))
            {
                var corrected = CommandCorrections.Command(command);
                Assert.True(corrected.Bytes.Span.SequenceEqual(expected.Bytes.Span), $"Case {i}: {Convert.ToHexString(command.Bytes.Span)}");
                Assert.Equal(corrected.Bytes.Length, RawDocument.Take(corrected.Bytes).Bytes.Length);
            }
        }
    }

    [Fact]
    public void A_tree_is_written_as_it_was_read()
    {
        var random = new RandomBson(3) { BeyondTrees = false };
        for (var i = 0; i < Cases; i++)
        {
            var data = random.Document();
            Assert.Equal(Convert.ToHexString(data), Convert.ToHexString(new RawDocument(data).ToTree().ToRaw().Span));
        }
    }

    [Theory]
    [InlineData("[{ $out: 'x' }, { $match: {} }]", 40601)]
    [InlineData("[{ $facet: { a: [{ $out: 'x' }] } }]", 40600)]
    [InlineData("[{ $lookup: { from: 'c', as: 'a', pipeline: [{ $merge: 'x' }] } }]", 51047)]
    [InlineData("[{ $unionWith: { coll: 'c', pipeline: [{ $out: 'x' }] } }]", 31441)]
    [InlineData("[{ $facet: { a: [{ $unionWith: { coll: 'c', pipeline: [{ $merge: 'x' }] } }] } }]", 31441)]
    [InlineData("[{ $match: {}, $out: 'x' }]", 40323)]
    public void A_stage_that_writes_stands_last_or_is_refused(string pipeline, int code) =>
        Assert.Equal(code, (int)Assert.Throws<CommandException>(() => OutputStage.Of(Raw($"{{ aggregate: 'c', pipeline: {pipeline} }}"))).Code);

    [Theory]
    [InlineData("[{ $match: { a: '$out' } }, { $set: { b: { $literal: { $merge: 1 } } } }]")]
    [InlineData("[{ $match: { $merge: 1 } }]")]
    public void A_pipeline_that_names_such_a_stage_in_data_writes_nothing(string pipeline) =>
        Assert.Null(OutputStage.Of(Raw($"{{ aggregate: 'c', pipeline: {pipeline} }}")));

    [Theory]
    [InlineData("{ aggregate: 'c', pipeline: [{ $indexStats: {} }, { $sort: { a: { $meta: 'textScore' } } }] }")]
    [InlineData("{ aggregate: 'c', pipeline: [{ $facet: { f: [{ $fill: { sortBy: { a: { $meta: 'textScore' } }, output: {} } }] } }] }")]
    [InlineData("{ create: 'v', viewOn: 'c', pipeline: [{ $match: { a: '$text' } }, { $sort: { a: { $meta: 'textScore' } } }] }")]
    [InlineData("{ find: 'c', filter: { a: 1 }, sort: { a: { $meta: 'textScore' } } }")]
    public void A_sort_by_a_score_that_there_is_none_of_is_refused(string command) =>
        Assert.Equal(40218, (int)Assert.Throws<CommandException>(() => CommandCorrections.Command(Raw(command))).Code);

    [Theory]
    [InlineData("{ aggregate: 'c', pipeline: [{ $match: { $and: [{ $text: { $search: 'a' } }] } }, { $limit: 1 }, { $sort: { a: { $meta: 'textScore' } } }] }")]
    [InlineData("{ find: 'c', filter: { $text: { $search: 'a' } }, sort: { a: { $meta: 'textScore' } } }")]
    public void A_sort_by_the_score_of_a_search_stays(string command) =>
        Assert.Equal(BsonDocument.Parse(command), Corrected(command));

    /// <summary>Commands with data in every place where data can stand.</summary>
    private static IEnumerable<RawDocument> Untouched(byte[] data)
    {
        var inField = new BsonBuilder().Add("f"u8, BsonType.Document, data).Finish();
        var literal = new BsonBuilder().Start("$set"u8).Start("f"u8).Add("$literal"u8, BsonType.Document, data).Finish();
        yield return new(new BsonBuilder().Add("find"u8, "c").Add("filter"u8, BsonType.Document, inField.Span).Add("let"u8, BsonType.Document, data).Finish());
        yield return new(new BsonBuilder().Add("count"u8, "c").Add("query"u8, BsonType.Document, inField.Span).Finish());
        yield return new(new BsonBuilder().Add("aggregate"u8, "c").AddArray("pipeline"u8, [literal]).Add("let"u8, BsonType.Document, data).Finish());
        yield return new(new BsonBuilder().Add("update"u8, "c")
            .AddArray("updates"u8, [new BsonBuilder().Add("q"u8, BsonType.Document, inField.Span).Add("u"u8, BsonType.Document, data).Finish()])
            .Finish());
        yield return new(new BsonBuilder().Add("findAndModify"u8, "c")
            .Add("query"u8, BsonType.Document, inField.Span)
            .Add("update"u8, BsonType.Document, data)
            .Add("comment"u8, BsonType.Document, data)
            .Finish());
        yield return new(
            new BsonBuilder().Add("delete"u8, "c").AddArray("deletes"u8, [new BsonBuilder().Add("q"u8, BsonType.Document, inField.Span).Finish()]).Finish());
    }

    /// <summary>Commands with data on both sides of what is corrected, and what they become.</summary>
    private static IEnumerable<(RawDocument Command, RawDocument Corrected)> Beside(byte[] data)
    {
        var literal = new BsonBuilder().Start("$set"u8).Start("f"u8).Add("$literal"u8, BsonType.Document, data).Finish();
        var count = new BsonDocument("$count", "n").ToRaw();
        var group = BsonDocument.Parse("{ $group: { _id: null, n: { $sum: 1 } } }").ToRaw();
        var project = BsonDocument.Parse("{ $project: { _id: 0 } }").ToRaw();
        RawDocument Aggregate(params ReadOnlyMemory<byte>[] stages) =>
            new(new BsonBuilder().Add("aggregate"u8, "c")
                .Add("comment"u8, BsonType.Document, data)
                .AddArray("pipeline"u8, stages)
                .Add("let"u8, BsonType.Document, data)
                .Finish());
        yield return (Aggregate(literal, count, literal), Aggregate(literal, group, project, literal));

        var simple = new BsonDocument("locale", "simple").ToRaw();
        RawDocument Update(bool collation)
        {
            var statement = new BsonBuilder().Start("q"u8).Add("f"u8, BsonType.Document, data).End();
            if (collation)
            {
                statement.Add("collation"u8, BsonType.Document, simple.Span);
            }

            return new(new BsonBuilder().Add("update"u8, "c").AddArray("updates"u8, [statement.Add("u"u8, BsonType.Document, data).Finish()]).Finish());
        }

        yield return (Update(true), Update(false));
    }

    private static RawDocument Raw(string json) => new(BsonDocument.Parse(json).ToRaw());

    private static BsonDocument Corrected(string json) => CommandCorrections.Command(Raw(json)).ToTree();
}
