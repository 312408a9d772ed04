using MongoDB.Bson;
using Platform.Gateway.Errors;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>Writes events as clients get them (https://www.mongodb.com/docs/manual/reference/change-events/).</summary>
internal static class ChangeEvent
{
    /// <summary>The greatest event: a document of the greatest size with what stands around it.</summary>
    public const int MostBytes = (16 * 1024 * 1024) + (16 * 1024);

    /// <summary>Writes the event of a change.</summary>
    /// <param name="change">The change.</param>
    /// <param name="token">The event's token.</param>
    /// <param name="options">What the stream asks for.</param>
    /// <param name="lookedUp">The document as it is now: a missing one when it is gone, null when nobody asked.</param>
    /// <exception cref="CommandException">An image that the stream requires is not there, or the event is too large.</exception>
    public static ReadOnlyMemory<byte> Write(Change change, ResumeToken token, ChangeStreamOptions options, RawDocument? lookedUp)
    {
        var document = new BsonBuilder(384 + change.New.Length + change.Old.Length);
        Head(document, change, token, Name(change.Kind));
        if (change.Transaction is { } transaction)
        {
            document.Add("lsid"u8, BsonType.Document, transaction.Session.Span).Add("txnNumber"u8, transaction.Number);
        }

        if (options.ShowExpandedEvents && change.Collection.Uuid.Length == 16)
        {
            document.Add("collectionUUID"u8, BsonType.Binary, [16, 0, 0, 0, 4, .. change.Collection.Uuid.Span]);
        }

        Documents(document, change, options, lookedUp);
        Namespace(document, "ns"u8, change.Collection, withCollection: change.Kind != ChangeKind.DropDatabase);
        if (change.Kind == ChangeKind.Rename)
        {
            Namespace(document, "to"u8, change.To!, withCollection: true);
        }

        if (!change.Key.IsEmpty)
        {
            document.Start("documentKey"u8).Add("_id"u8, new RawDocument(change.Key).First).End();
        }

        if (change.Kind == ChangeKind.Update)
        {
            var update = options.ShowExpandedEvents ? change.Update.Disambiguated : change.Update.Document;
            document.Add("updateDescription"u8, BsonType.Document, update.Span);
        }

        if (options.ShowExpandedEvents)
        {
            Definition(document, change);
        }

        var written = document.Finish();
        return written.Length <= MostBytes
            ? written
            : throw new CommandException(
                ErrorCode.BsonObjectTooLarge, $"An event of {written.Length} bytes is larger than the greatest document, {MostBytes} bytes.");
    }

    /// <summary>Writes the event that ends a stream.</summary>
    public static ReadOnlyMemory<byte> Invalidate(Change change, ResumeToken token)
    {
        var document = new BsonBuilder();
        Head(document, change, token, "invalidate");
        return document.Finish();
    }

    /// <summary>The name of an operation in events.</summary>
    public static string Name(ChangeKind kind) => kind switch
    {
        ChangeKind.Insert => "insert",
        ChangeKind.Update => "update",
        ChangeKind.Replace => "replace",
        ChangeKind.Delete => "delete",
        ChangeKind.Drop => "drop",
        ChangeKind.Rename => "rename",
        ChangeKind.DropDatabase => "dropDatabase",
        ChangeKind.Create => "create",
        ChangeKind.Modify => "modify",
        ChangeKind.CreateIndexes => "createIndexes",
        _ => "dropIndexes",
    };

    private static void Head(BsonBuilder document, Change change, ResumeToken token, string operation)
    {
        token.AddTo(document, "_id"u8);
        Span<byte> time = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(time, change.ClusterTime);
        document.Add("operationType"u8, operation).Add("clusterTime"u8, BsonType.Timestamp, time);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(time, change.CommittedAt / 1000);
        document.Add("wallTime"u8, BsonType.DateTime, time);
    }

    private static void Documents(BsonBuilder document, Change change, ChangeStreamOptions options, RawDocument? lookedUp)
    {
        switch (change.Kind)
        {
            case ChangeKind.Insert or ChangeKind.Replace:
                document.Add("fullDocument"u8, BsonType.Document, change.New.Span);
                break;
            case ChangeKind.Update when options.FullDocument == FullDocument.UpdateLookup:
                Image(document, "fullDocument"u8, lookedUp?.Bytes ?? default);
                break;
            case ChangeKind.Update when options.FullDocument != FullDocument.Off:
                Image(document, "fullDocument"u8, Required(change, change.New, options.FullDocument, "post-image"));
                break;
        }

        if (options.BeforeChange != FullDocument.Off && change.Kind is ChangeKind.Update or ChangeKind.Replace or ChangeKind.Delete)
        {
            Image(document, "fullDocumentBeforeChange"u8, Required(change, change.Old, options.BeforeChange, "pre-image"));
        }
    }

    private static ReadOnlyMemory<byte> Required(Change change, ReadOnlyMemory<byte> image, FullDocument mode, string name)
    {
        var found = change.Collection.HasImages ? image : default;
        return !found.IsEmpty || mode != FullDocument.Required
            ? found
            : throw new CommandException(
                ErrorCode.NoMatchingDocument,
                $"Change stream was configured to require a {name} for all update, delete and replace events, but the {name} was not found for an event "
                    + $"of {change.Collection.Database}.{change.Collection.Name}");
    }

    private static void Image(BsonBuilder document, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> image)
    {
        if (image.IsEmpty)
        {
            document.Add(name, BsonType.Null, []);
        }
        else
        {
            document.Add(name, BsonType.Document, image.Span);
        }
    }

    private static void Namespace(BsonBuilder document, ReadOnlySpan<byte> name, WatchedCollection collection, bool withCollection)
    {
        document.Start(name).Add("db"u8, collection.Database);
        if (withCollection)
        {
            document.Add("coll"u8, collection.Name);
        }

        document.End();
    }

    private static void Definition(BsonBuilder document, Change change)
    {
        switch (change.Kind)
        {
            case ChangeKind.Rename:
                document.Start("operationDescription"u8);
                Namespace(document, "to"u8, change.To!, withCollection: true);
                if (change.Replaced is { Uuid.Length: 16 } replaced)
                {
                    document.Add("dropTarget"u8, BsonType.Binary, [16, 0, 0, 0, 4, .. replaced.Uuid.Span]);
                }

                document.End();
                break;
            case ChangeKind.Create:
                document.Start("operationDescription"u8).Start("idIndex"u8)
                    .Add("v"u8, 2).Start("key"u8).Add("_id"u8, 1).End().Add("name"u8, "_id_").End().End();
                break;
            case ChangeKind.Modify or ChangeKind.CreateIndexes or ChangeKind.DropIndexes:
                document.Add("operationDescription"u8, BsonType.Document, change.Definition.Span);
                break;
        }
    }
}
