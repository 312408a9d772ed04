using System.Buffers.Binary;
using System.Text;
using MongoDB.Bson;
using Platform.Wire.Bson;

namespace Platform.Gateway.ChangeStreams;

/// <summary>Which collection each number stands for, at one place in WAL; the rows of the backend's catalogue that follow keep it right.</summary>
internal sealed class ChangeCatalogue
{
    private readonly Dictionary<long, WatchedCollection> _collections = [];
    private readonly Dictionary<long, (bool HasImages, bool IsSeries)> _options = [];

    /// <summary>The collection of a number; null when there is none.</summary>
    public WatchedCollection? Find(long id) => _collections.GetValueOrDefault(id);

    /// <summary>Adds a collection as it stands.</summary>
    public void Add(WatchedCollection collection, bool isView, RawDocument options)
    {
        _options[collection.Id] = Options(options);
        Put(collection, isView);
    }

    /// <summary>A copy that goes its own way.</summary>
    public ChangeCatalogue Copy()
    {
        var copy = new ChangeCatalogue();
        foreach (var (id, collection) in _collections)
        {
            copy._collections[id] = collection;
        }

        foreach (var (id, options) in _options)
        {
            copy._options[id] = options;
        }

        return copy;
    }

    /// <summary>Has a number stand for another collection, or for none.</summary>
    public void Restore(long id, WatchedCollection? collection)
    {
        if (collection is null)
        {
            _collections.Remove(id);
        }
        else
        {
            _options[id] = (collection.HasImages, false);
            _collections[id] = collection;
        }
    }

    /// <summary>The number of the collection that a row of the catalogue or of the options is about.</summary>
    public static long IdOf(PgOutput output, ReadOnlySpan<byte> message)
    {
        var row = output.New.Count > 0 ? output.New : output.Old;
        var id = row.Value(message, output.Relation.Column("collection_id"));
        return id.Length == sizeof(long)
            ? BinaryPrimitives.ReadInt64BigEndian(id)
            : throw new InvalidDataException("A row of the catalogue has no number of its collection: its replica identity is not FULL.");
    }

    /// <summary>Takes a row of the list of collections. Returns the collection as it was and as it became; null where there is none.</summary>
    public (WatchedCollection? Before, WatchedCollection? After) TakeCollection(PgOutput output, ReadOnlySpan<byte> message)
    {
        var id = IdOf(output, message);
        var before = Find(id);
        if (output.New.Count == 0)
        {
            // Options of dropped collections are kept no longer than the collections.
            _collections.Remove(id);
            _options.Remove(id);
            return (before, null);
        }

        var isView = output.New.Has(output.Relation.Column("view_definition"));
        var read = Read(output.Relation, output.New, message, id);
        // A row that was in the list already when it was read.
        Put(before is not null && before.Name == read.Name && before.Database == read.Database ? before : read, isView);
        return (before, Find(id));
    }

    /// <summary>Takes a row of the options that the gateway keeps beside.</summary>
    public void TakeOptions(PgOutput output, ReadOnlySpan<byte> message)
    {
        var id = IdOf(output, message);
        var options = output.New.Value(message, output.Relation.Column("options"));
        _options[id] = options.IsEmpty ? default : Options(RawDocument.Take(options.ToArray()));
        if (Find(id) is { } collection)
        {
            Put(collection, collection.IsDerived);
        }
    }

    /// <summary>The collection that a row of the list described before the change.</summary>
    public static WatchedCollection? Old(PgOutput output, ReadOnlySpan<byte> message) => output.HasWholeOld && output.Old.Count > 0
        ? Read(output.Relation, output.Old, message, IdOf(output, message)) with { IsDerived = output.Old.Has(output.Relation.Column("view_definition")) }
        : null;

    private static WatchedCollection Read(PgRelation relation, PgTuple row, ReadOnlySpan<byte> message, long id) => new(
        id,
        Encoding.UTF8.GetString(row.Value(message, relation.Column("database_name"))),
        Encoding.UTF8.GetString(row.Value(message, relation.Column("collection_name"))),
        row.Value(message, relation.Column("collection_uuid")).ToArray());

    private static (bool, bool) Options(RawDocument options)
    {
        if (options.IsMissing)
        {
            return default;
        }

        var images = options.TryGet("changeStreamPreAndPostImages"u8, out var asked) && asked.Type == BsonType.Document
            && asked.Document.TryGet("enabled"u8, out var enabled) && enabled.Truthy;
        return (images, options.TryGet("timeseries"u8, out _));
    }

    private void Put(WatchedCollection collection, bool isView)
    {
        var (images, series) = _options.GetValueOrDefault(collection.Id);
        _collections[collection.Id] = collection with { HasImages = images, IsDerived = isView || series };
    }
}
