using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Migrator.Execution;
using Platform.Migrator.History;
using Platform.Migrator.Structure;
using Platform.Migrator.Transforms;

namespace Platform.MigrationWorker;

/// <summary>Runs one migration that changes every document, and prints how long it took and how much memory.</summary>
internal static class TransformWorker
{
    /// <summary>What can be done, by name: <c>split</c> by code of its own, the others by the server.</summary>
    public static IReadOnlyDictionary<string, Func<string, CollectionTransform>> Kinds { get; } = new Dictionary<string, Func<string, CollectionTransform>>
    {
        ["split"] = collection => CollectionTransform.Split("split", collection, "name", ["first", "last"], name =>
        {
            var text = name.AsString;
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            return space < 0 ? [text, ""] : new BsonValue[] { text[..space], text[(space + 1)..] };
        }),
        ["rename"] = collection => CollectionTransform.Rename("rename", collection, "email", "mail"),
        ["set"] = collection => CollectionTransform.Backfill("set", collection, "active", true),
        ["backfill"] = collection => CollectionTransform.Backfill(
            "backfill", collection, "label", new BsonDocument("$concat", new BsonArray { "$name", " <", "$email", ">" })),
    };

    public static async Task RunAsync(string kind, string uri, string databaseName, string collection)
    {
        using var client = new MongoClient(uri);
        var database = client.GetDatabase(databaseName);
        var time = TimeProvider.System;
        var history = new MongoMigrationHistory(database);
        var runner = new MigrationRunner(
            [new MigrationDescriptor(1, kind, kind, new Transforming(Kinds[kind](collection)))],
            history,
            "bench",
            time,
            NullLogger<MigrationRunner>.Instance);
        var environment = new MigrationEnvironment(database, new CatalogueSynchroniser(database, time, NullLogger<CatalogueSynchroniser>.Instance));
        var started = Stopwatch.GetTimestamp();
        var result = await runner.UpAsync(environment, fence: 1);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (result.Failure is not null)
        {
            throw new InvalidOperationException(result.Failure.Sentence, result.Failure.Exception);
        }

        using var process = Process.GetCurrentProcess();
        Console.WriteLine(
            JsonSerializer.Serialize(new { seconds, peakBytes = process.PeakWorkingSet64, processorSeconds = process.TotalProcessorTime.TotalSeconds }));
    }

    private sealed class Transforming(CollectionTransform transform) : Migration
    {
        public override bool CanBeRepeated => true;

        public override Task UpAsync(MigrationContext context, CancellationToken cancellationToken) => context.TransformAsync(transform, cancellationToken);
    }
}
