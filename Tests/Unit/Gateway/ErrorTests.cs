using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Postgres;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>How failures of the backend become errors of the server.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData(319029277, "M001C", 11000)]
    [InlineData(525074461, "M00CO", 121)]
    [InlineData(16777245, "M0001", 2)]
    [InlineData(50463045, "55P03", 24)]
    [InlineData(16797828, "42501", 13)]
    [InlineData(16908292, "40P01", 112)]
    [InlineData(1088, "0A000", 115)]
    public void An_encoded_state_is_decoded(int number, string state, int code)
    {
        Assert.Equal(state, SqlState.Decode(number));
        Assert.Equal((ErrorCode)code, SqlState.FromReply(number));
    }

    [Theory]
    [InlineData(11000)]
    [InlineData(59)]
    public void A_plain_code_in_a_reply_stays(int code) => Assert.Equal((ErrorCode)code, SqlState.FromReply(code));

    [Theory]
    [InlineData("M0008", nameof(ErrorCode.NamespaceNotFound), false)]
    [InlineData("23505", nameof(ErrorCode.DuplicateKey), false)]
    [InlineData("57014", nameof(ErrorCode.MaxTimeMSExpired), false)]
    [InlineData("40001", nameof(ErrorCode.WriteConflict), true)]
    [InlineData("55P03", nameof(ErrorCode.LockTimeout), false)]
    [InlineData("55P03", nameof(ErrorCode.WriteConflict), true)]
    [InlineData("57P01", nameof(ErrorCode.InterruptedDueToReplStateChange), false)]
    [InlineData("XX000", nameof(ErrorCode.InternalError), false)]
    public void A_state_becomes_a_code(string state, string code, bool inTransaction) => Assert.Equal(
        code, ErrorMapping.ToCommandException(new PostgresException(state, "text"), inTransaction)?.Code.ToString());

    [Theory]
    [InlineData("XX000", "PlanExecutor error during aggregation :: cause by :: An expression evaluated in a multi field document", 15983)]
    [InlineData("XX000", "$mergeObjects needs both inputs to be objects, but the provided input has the type int", 40400)]
    [InlineData("21000", "MERGE command cannot affect row a second time", 115)]
    public void An_error_of_the_client_without_a_number_of_the_engine_has_one(string state, string text, int code)
    {
        var error = ErrorMapping.ToCommandException(new PostgresException(state, text), inTransaction: false);
        Assert.Equal((ErrorCode)code, error?.Code);
        Assert.DoesNotContain("log", error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("row", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_statement_says_who_cancelled_it() => Assert.Equal(
        ErrorCode.Interrupted,
        ErrorMapping.ToCommandException(new PostgresException("57014", "canceling statement due to user request"), false)?.Code);

    [Fact]
    public void A_lost_connection_is_one_that_drivers_repeat()
    {
        var lost = new IOException("The connection to PostgreSQL was lost.");
        Assert.True(ErrorMapping.IsBackendLost(lost));
        var error = ErrorMapping.ToCommandException(lost, inTransaction: true);
        Assert.True(ErrorLabels.IsRetryable(error!.Code));
        Assert.True(ErrorLabels.IsTransientInTransaction(error.Code));
    }

    [Fact]
    public void A_document_that_no_tree_can_hold_is_the_clients_mistake()
    {
        foreach (var name in new[] { "a", "a\0b" })
        {
            var thrown = Record.Exception(() => new BsonDocument { { "a", 1 }, { name, 2 } });
            Assert.NotNull(thrown);
            Assert.Equal(ErrorCode.FailedToParse, ErrorMapping.ToCommandException(thrown, inTransaction: false)?.Code);
        }
    }

    [Fact]
    public void What_is_not_the_engines_is_left_alone() =>
        Assert.Null(ErrorMapping.ToCommandException(new InvalidOperationException(), inTransaction: false));

    [Fact]
    public void Write_errors_get_server_codes_and_texts()
    {
        var reply = new BsonDocument
        {
            { "ok", 1.0 },
            { "n", 1 },
            {
                "writeErrors", new BsonArray
                {
                    Failure(1, 319029277, "Duplicate key violation on the requested collection: Index 'sku_1'"),
                    Failure(2, 525074461, "Document failed validation"),
                }
            },
        };
        var repaired = Tree(WriteErrors.Repair(new RawDocument(reply.ToBson()), "shop.products", inTransaction: false));
        Assert.Equal(1, repaired["n"]);
        var errors = repaired["writeErrors"].AsBsonArray;
        Assert.Equal(
            (1, 11000, "E11000 duplicate key error collection: shop.products index: sku_1 dup key: { }"),
            (errors[0]["index"].AsInt32, errors[0]["code"].AsInt32, errors[0]["errmsg"].AsString));
        Assert.Equal((121, "Document failed validation"), (errors[1]["code"].AsInt32, errors[1]["errmsg"].AsString));
    }

    [Theory]
    [InlineData(50463045)]
    [InlineData(16908292)]
    public void A_conflict_among_the_write_errors_of_a_transaction_fails_the_command(int code)
    {
        var reply = new BsonDocument { { "ok", 1.0 }, { "writeErrors", new BsonArray { Failure(0, code, "lock") } } };
        var error = Assert.Throws<CommandException>(() => WriteErrors.Repair(new RawDocument(reply.ToBson()), "a.b", inTransaction: true));
        Assert.Equal(ErrorCode.WriteConflict, error.Code);
        Assert.Contains(ErrorLabels.TransientTransaction, error.Labels);
    }

    [Fact]
    public void An_error_reply_has_code_name_and_labels()
    {
        var reply =
            Tree(Reply.Error(new CommandException(ErrorCode.NoSuchTransaction, "gone", ErrorLabels.TransientTransaction), ErrorLabels.TransientTransaction));
        Assert.Equal(
            new BsonDocument
            {
                { "ok", 0.0 }, { "errmsg", "gone" }, { "code", 251 }, { "codeName", "NoSuchTransaction" },
                { "errorLabels", new BsonArray { "TransientTransactionError" } },
            },
            reply);
        Assert.Equal("Location40324", Tree(Reply.Error(new CommandException((ErrorCode)40324, "x")))["codeName"]);
    }

    private static BsonDocument Failure(int index, int code, string message) => new() { { "index", index }, { "code", code }, { "errmsg", message } };

    private static BsonDocument Tree(ReadOnlyMemory<byte> bytes) => BsonSerializer.Deserialize<BsonDocument>(bytes.ToArray());
}
