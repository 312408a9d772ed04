using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Migrator.Structure;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Validation;

/// <summary>The command <c>migrator validate</c>, run as a program.</summary>
public sealed class ValidateCommandTests(MongoServer server)
{
    private const string Nobody = "mongodb://127.0.0.1:9/none";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Data_that_obeys_ends_with_0_and_a_sentence()
    {
        var database = await DatabaseAsync(broken: 0);

        var run = await RunAsync(database, "validate");

        Assert.Equal((0, "All 40 documents obey the rules."), (run.ExitCode, run.Output.Trim()));
        Assert.Contains("products: 40 documents, all obey", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_violation_is_in_the_report_and_the_exit_code_is_2()
    {
        var database = await DatabaseAsync(broken: 8);
        var report = Path.GetTempFileName();
        try
        {
            var run = await RunAsync(database, "validate", "--collection", "products", "--fix-report", report);

            Assert.Equal(2, run.ExitCode);
            Assert.Contains("products: 8 of 40 documents break rules", run.Output, StringComparison.Ordinal);
            Assert.Contains("8  currency pattern", run.Output, StringComparison.Ordinal);
            Assert.Contains("/currency: Must be three capital letters, as in ISO 4217.", run.Output, StringComparison.Ordinal);
            var lines = (await File.ReadAllLinesAsync(report, Cancel)).Select(line => JsonDocument.Parse(line).RootElement).ToList();
            Assert.Equal(8, lines.Count);
            Assert.All(lines, line => Assert.Equal(
                ("products", "/currency", "pattern"),
                (line.GetProperty("collection").GetString(), line.GetProperty("pointer").GetString(), line.GetProperty("code").GetString())));
            Assert.Equal(8, lines.Select(line => line.GetProperty("id").GetProperty("$oid").GetString()).Distinct().Count());
        }
        finally
        {
            File.Delete(report);
        }
    }

    [Fact]
    public async Task The_result_can_be_had_as_JSON()
    {
        var run = await RunAsync(await DatabaseAsync(broken: 1), "validate", "--json");

        var result = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(2, run.ExitCode);
        Assert.False(result.GetProperty("valid").GetBoolean());
        var products = result.GetProperty("collections").EnumerateArray().Single(collection => collection.GetProperty("collection").GetString() == "products");
        Assert.Equal(1, products.GetProperty("byRule").GetProperty("currency pattern").GetInt32());
    }

    [Theory]
    [InlineData("There is no collection 'order'; there are tenants, users,", "validate", "--collection", "order")]
    [InlineData("--fix-report: the directory of '/nowhere/report' does not exist.", "validate", "--fix-report", "/nowhere/report")]
    [InlineData("'migrator validate' does not know what to do with 'now'.", "validate", "now")]
    public async Task Wrong_arguments_end_with_64_and_one_sentence(string sentence, params string[] arguments)
    {
        var run = (await JobProgram.Migrator.RunAsync(Nobody, arguments, Cancel)).Expect(ExitCodes.Usage);

        Assert.StartsWith($"migrator: {sentence}", run.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_ends_with_73()
    {
        var run = await RunAsync(await DatabaseAsync(broken: 0), "validate", "--fix-report", Path.GetTempPath());

        Assert.Equal(73, run.ExitCode);
        Assert.StartsWith("migrator: the report cannot be written:", run.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_not_there_ends_with_69_and_one_sentence()
    {
        var run = (await JobProgram.Migrator.RunAsync(Nobody, "validate", Cancel, ("Migrator__DatabaseTimeout", "00:00:02"))).Expect(ExitCodes.Unavailable);

        Assert.StartsWith("migrator: ", run.Sentence, StringComparison.Ordinal);
    }

    private Task<ProgramResult> RunAsync(IMongoDatabase database, params string[] arguments) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Cancel);

    private async Task<IMongoDatabase> DatabaseAsync(int broken)
    {
        var database = server.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        var samples = new DocumentSamples(CollectionCatalogue.Products, seed: 9);
        var documents = Enumerable.Range(0, 40).Select(_ => samples.Valid()).ToList();
        foreach (var document in documents.Take(broken))
        {
            document["currency"] = "euro";
        }

        await database.GetCollection<BsonDocument>(CollectionNames.Products)
            .InsertManyAsync(documents, new InsertManyOptions { BypassDocumentValidation = true }, Cancel);
        return database;
    }
}
