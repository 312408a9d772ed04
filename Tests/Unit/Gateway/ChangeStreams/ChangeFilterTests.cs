using MongoDB.Bson;
using Platform.Gateway.ChangeStreams;
using Platform.Wire.Bson;
using Xunit;

namespace Platform.Tests.Unit.Gateway.ChangeStreams;

public sealed class ChangeFilterTests
{
    [Theory]
    [InlineData("{}", true)]
    [InlineData("{operationType: 'insert'}", true)]
    [InlineData("{operationType: 'update'}", false)]
    [InlineData("{operationType: {$in: ['update', 'insert']}, 'ns.coll': 'c'}", true)]
    [InlineData("{operationType: {$ne: 'insert'}, unknown: 1}", false)]
    [InlineData("{operationType: 'insert', 'fullDocument.n': 1}", null)]
    [InlineData("{$or: [{'ns.coll': 'x'}, {'ns.db': {$eq: 'd'}}]}", true)]
    [InlineData("{$or: [{'ns.coll': 'x'}, {'ns.db': 'y'}]}", false)]
    [InlineData("{$or: [{'ns.coll': 'x'}, {unknown: 'y'}]}", null)]
    [InlineData("{$and: [{'ns.coll': 'x'}, {unknown: 'y'}]}", false)]
    [InlineData("{$nor: [{'ns.coll': 'x'}]}", null)]
    [InlineData("{'ns.coll': /c/}", null)]
    [InlineData("{'ns.coll': {$in: ['c', /x/]}}", null)]
    [InlineData("{'ns.coll': {$in: ['x'], $ne: 'c'}}", null)]
    public void It_knows_what_can_be_known_before_there_is_an_event(string match, bool? expected) => Assert.Equal(
        expected, ChangeFilter.Of(new RawDocument(BsonDocument.Parse(match).ToRaw())).Admits(new Change
        {
            Commit = 1, Index = 0, CommittedAt = 0, Kind = ChangeKind.Insert, Collection = new WatchedCollection(1, "d", "c", default),
        }));

    [Fact]
    public void A_dropped_database_has_no_collection() => Assert.False(
        ChangeFilter.Of(new RawDocument(BsonDocument.Parse("{'ns.coll': 'system.dbSentinel'}").ToRaw())).Admits(new Change
        {
            Commit = 1, Index = 0, CommittedAt = 0, Kind = ChangeKind.DropDatabase, Collection = new WatchedCollection(1, "d", "system.dbSentinel", default),
        }));
}
