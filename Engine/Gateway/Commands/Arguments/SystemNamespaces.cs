using System.Collections.Frozen;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Errors;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Arguments;

/// <summary>
/// Collections that a server keeps for itself and the gateway does not have. They are refused: to who reads them, a dump above all, an
/// empty answer would say that there is nothing to lose.
/// </summary>
internal static class SystemNamespaces
{
    private static readonly FrozenSet<string> s_ofCollections = new[]
    {
        "find", "aggregate", "count", "distinct", "insert", "update", "delete", "findAndModify", "create", "collMod", "drop", "collStats", "validate",
        "compact", "createIndexes", "dropIndexes", "listIndexes",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether a command reads the one document of <c>local.system.replset</c>, the configuration of the replica set.</summary>
    public static bool ReadsConfiguration(Request request) =>
        request is { Database: "local", Target: "system.replset", Name: "find" or "aggregate" };

    /// <summary>Throws <see cref="CommandException"/> when a command, or a stage of its pipeline, names one.</summary>
    public static void Check(Request request, CommandDefinition definition)
    {
        if (ReadsConfiguration(request))
        {
            return;
        }

        if (request.Target is { } target && MayBe(request.Database, target) && s_ofCollections.Contains(definition.Name))
        {
            Check(request.Database, target);
        }

        switch (definition.Name)
        {
            case "aggregate" or "create" when request.Body.Bytes.Span.IndexOf("system."u8) >= 0 || request.Body.Bytes.Span.IndexOf("oplog."u8) >= 0:
                CheckPipeline(request.Database, request.Body);
                break;
            case "explain" when request.Command.Type == BsonType.Document:
                CheckExplained(request);
                break;
        }
    }

    /// <summary>Throws <see cref="CommandException"/> when a collection is one of them.</summary>
    public static void Check(string database, string collection)
    {
        if (collection.StartsWith("system.", StringComparison.Ordinal) && collection != SystemProfile.Name)
        {
            const string buckets = "system.buckets.";
            throw Missing(database, collection, collection.StartsWith(buckets, StringComparison.Ordinal)
                ? $"the measurements of a time series are not put into buckets; read {collection[buckets.Length..]} itself"
                : collection == "system.views" ? "listCollections tells of views"
                : collection is "system.users" or "system.roles" ? "usersInfo and rolesInfo tell of them"
                : "the backend has no such collection");
        }

        if (database == "local" && (collection.StartsWith("oplog.", StringComparison.Ordinal)
            || collection.StartsWith("replset.", StringComparison.Ordinal)
            || collection == "startup_log"))
        {
            throw Missing(database, collection, "there is no oplog and no replication");
        }

        if (database == "config" && collection is ("transactions" or "image_collection"))
        {
            throw Missing(database, collection, "the backend keeps the outcomes of retryable writes itself");
        }
    }

    private static bool MayBe(string database, string collection) =>
        collection.StartsWith("system.", StringComparison.Ordinal) || database is "local" or "config";

    private static CommandException Missing(string database, string collection, string why) =>
        new(ErrorCode.CommandNotSupported, $"The collection {database}.{collection} is not supported: {why}.");

    private static void CheckExplained(Request request)
    {
        var command = request.Command.Document;
        foreach (var first in command)
        {
            if (first.Text is { } target)
            {
                Check(request.Database, target);
            }

            break;
        }

        CheckPipeline(request.Database, command);
    }

    private static void CheckPipeline(string database, RawDocument command)
    {
        if (command.TryGet("viewOn"u8, out var on) && on.Text is { } source)
        {
            Check(database, source);
        }

        if (command.TryGet("pipeline"u8, out var pipeline) && pipeline.Type == BsonType.Array)
        {
            CheckStages(database, pipeline.Document);
        }
    }

    private static void CheckStages(string database, RawDocument pipeline)
    {
        foreach (var element in pipeline)
        {
            if (!Pipelines.TryOperator(element, out var stage))
            {
                continue;
            }

            if (stage.Is("$unionWith"u8) && stage.Text is { } all)
            {
                Check(database, all);
            }

            if (stage.Type != BsonType.Document)
            {
                continue;
            }

            if (stage.Is("$facet"u8))
            {
                foreach (var facet in stage.Document)
                {
                    if (facet.Type == BsonType.Array)
                    {
                        CheckStages(database, facet.Document);
                    }
                }
            }
            else if (stage.Is("$lookup"u8) || stage.Is("$graphLookup"u8) || stage.Is("$unionWith"u8))
            {
                CheckSource(database, stage.Document);
            }
        }
    }

    private static void CheckSource(string database, RawDocument stage)
    {
        foreach (var field in stage)
        {
            if ((field.Is("from"u8) || field.Is("coll"u8)) && field.Text is { } collection)
            {
                Check(database, collection);
            }
            else if (field.Is("pipeline"u8) && field.Type == BsonType.Array)
            {
                CheckStages(database, field.Document);
            }
        }
    }
}
