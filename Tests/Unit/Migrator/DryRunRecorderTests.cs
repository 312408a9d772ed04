using MongoDB.Bson;
using Platform.Migrator.DryRun;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class DryRunRecorderTests
{
    private readonly DryRunRecorder _recorder = new();

    [Theory]
    [InlineData("{ find: 'a' }")]
    [InlineData("{ getMore: 1, collection: 'a' }")]
    [InlineData("{ aggregate: 'a', pipeline: [{ $match: {} }] }")]
    [InlineData("{ listIndexes: 'a' }")]
    [InlineData("{ saslStart: 1 }")]
    public void What_reads_goes_to_the_server(string command)
    {
        Assert.Null(Decide(command).Reply);
        Assert.Empty(_recorder.Withheld);
    }

    [Theory]
    [InlineData("{ insert: 'a', documents: [{}] }", 1)]
    [InlineData("{ update: 'a', updates: [{}, {}] }", 2)]
    [InlineData("{ delete: 'a', deletes: [{}] }", 1)]
    [InlineData("{ findAndModify: 'a' }", 1)]
    [InlineData("{ aggregate: 'a', pipeline: [{ $out: 'b' }] }", 1)]
    [InlineData("{ aggregate: 'a', pipeline: [{ $merge: { into: 'b' } }] }", 1)]
    [InlineData("{ create: 'a' }", 1)]
    [InlineData("{ createIndexes: 'a', indexes: [{}] }", 1)]
    [InlineData("{ dropDatabase: 1 }", 1)]
    [InlineData("{ renameCollection: 'a.b' }", 1)]
    [InlineData("{ somethingNew: 'a' }", 1)]
    public void Everything_else_is_kept_and_answered(string command, int statements)
    {
        var decision = Decide(command);
        Assert.Equal(1, decision.Reply?["ok"].ToInt32());
        Assert.Equal(statements, Assert.Single(_recorder.Withheld).Statements);
    }

    [Fact]
    public void No_transaction_is_begun_on_the_server()
    {
        var read = Decide("{ find: 'a', txnNumber: 1, autocommit: false, startTransaction: true, readConcern: { level: 'snapshot' } }");
        Assert.Equal(BsonDocument.Parse("{ find: 'a', $db: 'd' }"), read.Replacement);
        Assert.Equal(1, Decide("{ commitTransaction: 1, autocommit: false }").Reply?["ok"].ToInt32());
        Assert.Equal(1, Decide("{ abortTransaction: 1, autocommit: false }").Reply?["ok"].ToInt32());
        Assert.Empty(_recorder.Withheld);
    }

    [Fact]
    public void A_structure_that_is_made_twice_is_told_once_and_a_long_list_is_cut()
    {
        Decide("{ create: 'a', lsid: { id: 1 } }");
        Decide("{ create: 'a', lsid: { id: 2 } }");
        Decide("{ insert: 'a', documents: [{ _id: 1 }, { _id: 2 }, { _id: 3 }, { _id: 4 }, { _id: 5 }] }");
        Assert.Equal(2, _recorder.Withheld.Count);
        Assert.Equal("{ \"create\" : \"a\" }", _recorder.Withheld[0].Text);
        Assert.EndsWith("{ \"_id\" : 3 }, \"and 2 more\"] }", _recorder.Withheld[1].Text, StringComparison.Ordinal);
    }

    private TapDecision Decide(string command)
    {
        var document = BsonDocument.Parse(command);
        document["$db"] = "d";
        return _recorder.Decide(new TappedCommand(document.GetElement(0).Name, "d", document));
    }
}
