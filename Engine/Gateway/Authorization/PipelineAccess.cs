using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Requests;
using Platform.Wire.Bson;

namespace Platform.Gateway.Authorization;

/// <summary>What the stages of a pipeline need beside the collection that it reads. Looks at the bytes, without making objects of them.</summary>
internal static class PipelineAccess
{
    // Stages that stay with the documents that they are given. One that is none of these, and none that is looked into below, could reach any
    // collection: it is for those who may read all of them.
    private static readonly byte[][] s_staying =
    [
        .. new[]
        {
            "$addFields", "$bucket", "$bucketAuto", "$count", "$densify", "$documents", "$fill", "$geoNear", "$group", "$limit", "$listLocalSessions",
            "$match", "$project", "$redact", "$replaceRoot", "$replaceWith", "$sample", "$set", "$setWindowFields", "$skip", "$sort", "$sortByCount",
            "$unset", "$unwind",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
    ];

    /// <summary>Whether an aggregation is allowed.</summary>
    public static bool OfAggregate(Request request, Rights rights)
    {
        var database = request.Database;
        if (!Pipelines.TryFirst(request.Body, out var first) || !Begins(first))
        {
            if (!(request.Target is { } collection
                ? rights.OnCollection(database, collection, AccessAction.Find)
                : rights.OnDatabase(database, AccessAction.Find)))
            {
                return false;
            }
        }

        return !request.TryGet("pipeline"u8, out var pipeline) || pipeline.Type != BsonType.Array
            || OfStages(database, request.Target, pipeline.Document, rights, Bypasses(request.Body));
    }

    /// <summary>
    /// Whether a view may be made or changed so: whoever may read the view reads through it what it is made of, so that must be allowed, too.
    /// </summary>
    public static bool OfView(Request request, Rights rights)
    {
        if (!request.TryGet("viewOn"u8, out var on) || request.Target is not { } view || !rights.OnCollection(request.Database, view, AccessAction.Find))
        {
            return true;
        }

        return (on.Type != BsonType.String || rights.OnCollection(request.Database, TextCache.Get(on.StringBytes), AccessAction.Find))
            && (!request.TryGet("pipeline"u8, out var pipeline) || pipeline.Type != BsonType.Array
                || OfStages(request.Database, view, pipeline.Document, rights, bypasses: false));
    }

    /// <summary>Whether a command asks for the rules on documents to be passed over.</summary>
    public static bool Bypasses(RawDocument command) => command.TryGet("bypassDocumentValidation"u8, out var bypass) && bypass.Truthy;

    // Stages with which a pipeline begins that reads no documents of the collection.
    private static bool Begins(in RawElement stage) =>
        stage.Is("$documents"u8) || stage.Is("$changeStream"u8) || stage.Is("$currentOp"u8) || stage.Is("$collStats"u8) || stage.Is("$indexStats"u8)
        || stage.Is("$planCacheStats"u8) || stage.Is("$listSessions"u8) || stage.Is("$listLocalSessions"u8);

    private static bool OfStages(string database, string? collection, RawDocument pipeline, Rights rights, bool bypasses)
    {
        foreach (var element in pipeline)
        {
            // What is no stage is refused later.
            if (element.Type != BsonType.Document)
            {
                continue;
            }

            // Also a stage with several names, which is none: any of them might be the one that is run.
            foreach (var stage in element.Document)
            {
                if (!OfStage(database, collection, stage, rights, bypasses))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool OfStage(string database, string? collection, in RawElement stage, Rights rights, bool bypasses)
    {
        if (Stays(stage))
        {
            return true;
        }

        // Of a facet, too: with two of a name one would not be judged.
        if (stage.Type == BsonType.Document)
        {
            Twins.Refuse(stage.Document, stage.Name);
        }

        if (stage.Is("$lookup"u8) || stage.Is("$graphLookup"u8) || stage.Is("$unionWith"u8) || stage.Is("$inverseMatch"u8))
        {
            return OfSource(database, stage, rights, bypasses);
        }

        if (stage.Is("$facet"u8))
        {
            return OfFacets(database, collection, stage, rights, bypasses);
        }

        if (stage.Is("$out"u8))
        {
            return TryTarget(database, stage, out var db, out var target)
                && rights.OnCollection(db, target, AccessAction.Insert) && rights.OnCollection(db, target, AccessAction.Remove)
                && (!bypasses || rights.OnCollection(db, target, AccessAction.BypassDocumentValidation));
        }

        if (stage.Is("$merge"u8))
        {
            return OfMerge(database, stage, rights, bypasses);
        }

        if (stage.Is("$changeStream"u8))
        {
            return OfChanges(database, collection, stage, rights);
        }

        if (stage.Is("$currentOp"u8))
        {
            return rights.OnCluster(AccessAction.Inprog)
                || stage.Type != BsonType.Document || !stage.Document.TryGet("allUsers"u8, out var all) || !all.Truthy;
        }

        return stage.Is("$collStats"u8) ? On(AccessAction.CollStats)
            : stage.Is("$indexStats"u8) ? On(AccessAction.IndexStats)
            : stage.Is("$planCacheStats"u8) ? On(AccessAction.PlanCacheRead)
            : stage.Is("$listSessions"u8) ? rights.OnCluster(AccessAction.ListSessions)
            : rights.OnAllDatabases(AccessAction.Find);

        bool On(AccessAction action) => collection is null ? rights.OnDatabase(database, action) : rights.OnCollection(database, collection, action);
    }

    private static bool Stays(in RawElement stage)
    {
        foreach (var name in s_staying)
        {
            if (stage.Is(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary><c>$lookup</c>, <c>$graphLookup</c>, <c>$unionWith</c>: what they read from, and what their own pipelines reach.</summary>
    private static bool OfSource(string database, in RawElement stage, Rights rights, bool bypasses)
    {
        if (stage.Type == BsonType.String)
        {
            return rights.OnCollection(database, TextCache.Get(stage.StringBytes), AccessAction.Find);
        }

        if (stage.Type != BsonType.Document)
        {
            return true;
        }

        var elsewhere = stage.Document.TryGet("db"u8, out var other) && other.Type == BsonType.String ? TextCache.Get(other.StringBytes) : database;
        string? source = null;
        foreach (var field in stage.Document)
        {
            if (field.Is("from"u8) || field.Is("coll"u8))
            {
                if (!TryTarget(elsewhere, field, out var db, out source) || !rights.OnCollection(db, source, AccessAction.Find))
                {
                    return false;
                }
            }
            else if (field.Is("pipeline"u8) && field.Type == BsonType.Array && !OfStages(elsewhere, source, field.Document, rights, bypasses))
            {
                return false;
            }
        }

        return true;
    }

    private static bool OfFacets(string database, string? collection, in RawElement stage, Rights rights, bool bypasses)
    {
        if (stage.Type == BsonType.Document)
        {
            foreach (var facet in stage.Document)
            {
                if (facet.Type == BsonType.Array && !OfStages(database, collection, facet.Document, rights, bypasses))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // https://www.mongodb.com/docs/v7.0/reference/operator/aggregation/merge/#access-control
    private static bool OfMerge(string database, in RawElement stage, Rights rights, bool bypasses)
    {
        var (updates, inserts) = (true, true);
        string db, target;
        if (stage.Type == BsonType.Document)
        {
            if (!stage.Document.TryGet("into"u8, out var into) || !TryTarget(database, into, out db, out target))
            {
                return false;
            }

            updates = !stage.Document.TryGet("whenMatched"u8, out var matched) || !matched.StringBytes.SequenceEqual("fail"u8);
            inserts = !stage.Document.TryGet("whenNotMatched"u8, out var unmatched) || unmatched.StringBytes.SequenceEqual("insert"u8);
        }
        else if (!TryTarget(database, stage, out db, out target))
        {
            return false;
        }

        return (!updates || rights.OnCollection(db, target, AccessAction.Update)) && (!inserts || rights.OnCollection(db, target, AccessAction.Insert))
            && (updates || inserts || rights.OnCollection(db, target, AccessAction.Insert))
            && (!bypasses || rights.OnCollection(db, target, AccessAction.BypassDocumentValidation));
    }

    private static bool OfChanges(string database, string? collection, in RawElement stage, Rights rights)
    {
        if (stage.Type == BsonType.Document && stage.Document.TryGet("allChangesForCluster"u8, out var all) && all.Truthy)
        {
            return rights.OnAllDatabases(AccessAction.ChangeStream) && rights.OnAllDatabases(AccessAction.Find);
        }

        return collection is null
            ? rights.OnDatabase(database, AccessAction.ChangeStream) && rights.OnDatabase(database, AccessAction.Find)
            : rights.OnCollection(database, collection, AccessAction.ChangeStream) && rights.OnCollection(database, collection, AccessAction.Find);
    }

    /// <summary>A collection as a string, or a document <c>{db, coll}</c>.</summary>
    private static bool TryTarget(string database, in RawElement named, out string db, out string collection)
    {
        (db, collection) = (database, "");
        if (named.Type == BsonType.String)
        {
            collection = TextCache.Get(named.StringBytes);
            return true;
        }

        if (named.Type == BsonType.Document)
        {
            Twins.Refuse(named.Document, named.Name);
        }

        if (named.Type != BsonType.Document || !named.Document.TryGet("coll"u8, out var coll) || coll.Type != BsonType.String)
        {
            return false;
        }

        collection = TextCache.Get(coll.StringBytes);
        if (named.Document.TryGet("db"u8, out var other) && other.Type == BsonType.String)
        {
            db = TextCache.Get(other.StringBytes);
        }

        return true;
    }
}
