using System.Globalization;
using System.Text.RegularExpressions;
using MongoDB.Bson;
using MongoDB.Driver;
using NSubstitute;
using NSubstitute.ExceptionExtensions;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Migrator.Transforms;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Transforms;

/// <summary>What transforms make of generated documents, without a server; Tests/Server has the same with one.</summary>
public sealed class TransformModelTests
{
    private const int Documents = 1500;

    public static TheoryData<string> Cases =>
        [.. TransformCase.All("x").Where(transform => transform.Transform.Examine is not null).Select(transform => transform.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_transform_does_what_its_path_means_once_and_touches_nothing_else(string name)
    {
        var transform = TransformCase.All("x").Single(transform => transform.Name == name);
        var (changed, problems, obstructed) = (0, 0, 0);
        foreach (var before in TransformCase.Documents(seed: 20261128, Documents))
        {
            var change = Examine(transform.Transform, before);
            var after = Apply(before, change);
            var fault = transform.FaultOf(before, after, value => Convert(value, transform.Type!));
            Assert.True(fault is null, fault);
            Assert.Equal(transform.HasProblem(before, value => Convert(value, transform.Type!)), change.Problem is not null);
            Assert.Equal(transform.IsObstructed(before), change.IsObstructed);
            Assert.InRange(after.ToBson().Length, 0, before.ToBson().Length + TransformCase.MostGrowth(before));

            // A second time there is nothing to do.
            Assert.Null(Examine(transform.Transform, after).Update);
            changed += change.Update is null ? 0 : 1;
            problems += change.Problem is null ? 0 : 1;
            obstructed += change.IsObstructed ? 1 : 0;
        }

        // What the generator does not make is not tested.
        Assert.InRange(changed, Documents / 100, Documents - 1);
        Assert.Equal(transform.Path.Contains('.', StringComparison.Ordinal), obstructed > 0);
        Assert.Equal(transform.Name[0] is 'b' or 'm' or 's', problems > 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData(".a")]
    [InlineData("a.$[].b")]
    [InlineData("$a")]
    [InlineData("a.0.b")]
    [InlineData("_id")]
    [InlineData("_id.a")]
    public void What_is_no_path_of_fields_is_refused(string path)
    {
        Assert.ThrowsAny<ArgumentException>(() => CollectionTransform.Remove("x", "x", path));
        Assert.ThrowsAny<ArgumentException>(() => CollectionTransform.Backfill("x", "x", path, 1));
        Assert.ThrowsAny<ArgumentException>(() => CollectionTransform.ChangeType("x", "x", path, "int"));
        Assert.ThrowsAny<ArgumentException>(() => CollectionTransform.Rename("x", "x", path, "b"));
        Assert.ThrowsAny<ArgumentException>(() => CollectionTransform.Split("x", "x", "b", [path], _ => null));
    }

    [Fact]
    public void What_a_transform_cannot_mean_is_refused_before_it_runs()
    {
        Assert.Contains(
            "not fields of the same documents",
            Assert.Throws<ArgumentException>(() => CollectionTransform.Rename("x", "x", "a.b", "b")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "different names", Assert.Throws<ArgumentException>(() => CollectionTransform.Rename("x", "x", "a", "a")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "different names",
            Assert.Throws<ArgumentException>(() => CollectionTransform.Split("x", "x", "a", ["b", "a"], _ => null)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "no type", Assert.Throws<ArgumentException>(() => CollectionTransform.ChangeType("x", "x", "a", "Decimal")).Message, StringComparison.Ordinal);
        Assert.Contains("$$NOW", Assert.Throws<ArgumentException>(
            () => CollectionTransform.Backfill("x", "x", "a.b", BsonDocument.Parse("{ $ifNull: ['$c', '$$NOW'] }"))).Message, StringComparison.Ordinal);
        Assert.NotNull(CollectionTransform.Backfill("x", "x", "a.b", BsonDocument.Parse("{ $literal: '$$NOW' }")));
        Assert.NotNull(CollectionTransform.Backfill("x", "x", "a", "$$NOW"));
    }

    [Theory]
    [InlineData("{ a: 'x' }", "the migration's code failed on it: no")]
    [InlineData("{ a: 'y' }", "its 'a' cannot be split")]
    [InlineData("{ a: 'z' }", "its 'a' cannot be split")]
    public void A_document_on_which_the_code_of_a_migration_fails_is_one_that_cannot_be_done(string document, string problem)
    {
        var split = CollectionTransform.Split("x", "x", "a", ["b", "c"], value => value.AsString switch
        {
            "x" => throw new InvalidOperationException("no"),
            "y" => null,
            _ => ["one for two"],
        });
        var change = Examine(split, BsonDocument.Parse(document));
        Assert.Equal((null, problem), (change.Update, change.Problem));
    }

    [Fact]
    public void That_the_database_is_away_says_nothing_of_a_document()
    {
        foreach (var exception in (Exception[])[new MongoException("away"), new TimeoutException("away")])
        {
            var thrown = Record.Exception(() => Examine(Failing(exception), new BsonDocument("a", "x")));
            Assert.Same(exception, thrown);
        }

        var change = Examine(Failing(new RegexMatchTimeoutException("too long")), new BsonDocument("a", "x"));
        Assert.Equal("the migration's code failed on it: too long", change.Problem);

        static CollectionTransform Failing(Exception exception) => CollectionTransform.Split("x", "x", "a", ["b", "c"], _ => throw exception);
    }

    [Fact]
    public void A_vault_that_is_away_says_nothing_of_a_document()
    {
        var vault = Substitute.For<IKeyVault>();
        vault.Find(null!).ThrowsForAnyArgs(new MongoException("away"));
        using var encryption = new FieldEncryption(vault, MasterKey.Create());
        var transform = FieldEncryptionTransform.Encrypting(CollectionNames.Users, EncryptedFields.Of(typeof(User)), encryption);
        var document = new BsonDocument { ["_id"] = 1, [EncryptedFields.Tenant] = ObjectId.GenerateNewId(), ["email"] = "ann@shop.example" };
        Assert.Throws<MongoException>(() => transform.Examine!(document, []));
    }

    private static DocumentChange Examine(CollectionTransform transform, BsonDocument document)
    {
        var read = new BsonDocument(document.Where(element => element.Name == "_id" || transform.Reads.Contains(element.Name)));
        var computed = transform switch
        {
            { ConvertsTo: { } type } => transform.Convertible!(read).Select(value => Convert(value, type)),
            { Expression: { } expression } => [document.GetValue(expression.AsString[1..], null)],
            _ => Enumerable.Empty<BsonValue?>(),
        };
        var untouched = read.ToBson();
        var change = transform.Examine!(read, [.. computed]);
        Assert.Equal(untouched, read.ToBson());
        return change;
    }

    private static BsonDocument Apply(BsonDocument document, DocumentChange change)
    {
        var after = document.DeepClone().AsBsonDocument;
        foreach (var field in change.Update?["$set"].AsBsonDocument ?? [])
        {
            after[field.Name] = field.Value;
        }

        return after;
    }

    // Any function does, as long as it gives the right type or nothing.
    private static BsonValue? Convert(BsonValue value, string type) => (type, value) switch
    {
        ("string", { IsNumeric: true } or BsonBoolean) => value.ToString(),
        ("decimal", BsonInt32 or BsonInt64) => new BsonDecimal128(value.ToInt64()),
        ("double", BsonInt32 or BsonInt64) => value.ToDouble(),
        ("int", BsonString text) when int.TryParse(text.Value, CultureInfo.InvariantCulture, out var number) => number,
        ("int", BsonBoolean) => value.AsBoolean ? 1 : 0,
        _ => null,
    };
}
