namespace Platform.Gateway.ChangeStreams;

/// <summary>
/// Makes changes of decoded WAL. What WAL does not know is told by messages that the gateway puts in front of a write, in the same transaction:
/// that the write replaces documents, and which multi-document transaction it belongs to.
/// </summary>
internal sealed class ChangeDecoder(ChangeCatalogue catalogue)
{
    private const int ChunkSize = 64 * 1024;

    private readonly PgOutput _output = new();
    private readonly List<Draft> _definitions = [];
    private byte[] _chunk = [];
    private int _used;
    private int _index;
    private long _time;
    private WriteNote? _note;

    private sealed record Draft(ChangeKind Kind, WatchedCollection Collection, WatchedCollection? To, ReadOnlyMemory<byte> Definition);

    /// <summary>What the numbers of collections mean by now.</summary>
    public ChangeCatalogue Catalogue => catalogue;

    /// <summary>Whether a transaction is being read.</summary>
    public bool IsInTransaction { get; private set; }

    /// <summary>Where the record begins that commits the transaction that is being read, or was read last.</summary>
    public ulong Current => _output.Commit;

    /// <summary>Where the last transaction that was read whole ends.</summary>
    public ulong End { get; private set; }

    /// <summary>The commit of the last transaction that changed the catalogue.</summary>
    public ulong LastDefinition { get; private set; }

    /// <summary>Reads a message and adds what it tells to <paramref name="changes"/>. Returns whether it ended a transaction.</summary>
    public bool Read(ReadOnlySpan<byte> message, List<Change> changes)
    {
        var kind = _output.Read(message);
        switch (kind)
        {
            case PgMessageKind.Begin:
                _index = 0;
                _note = null;
                // Neighbours read the clock before they queue up to commit, so their times may be in another order than they are.
                _time = Math.Max(_time, _output.CommittedAt);
                IsInTransaction = true;
                break;
            case PgMessageKind.Commit:
                Define(changes);
                IsInTransaction = false;
                End = _output.CommitEnd;
                return true;
            case PgMessageKind.Message when _output.IsOwnMessage:
                var (offset, length) = _output.Content;
                _note = WriteNote.Read(message.Slice(offset, length).ToArray(), _note);
                break;
            case PgMessageKind.Insert or PgMessageKind.Update or PgMessageKind.Delete:
                Row(kind, message, changes);
                break;
            case PgMessageKind.Truncate:
                Define(changes);
                foreach (var relation in _output.Truncated)
                {
                    // The backend empties a collection whose content it is about to replace: what a server does by renaming another one over it.
                    if (catalogue.Find(relation.Collection) is { IsSilent: false } emptied && relation.Kind == PgRelationKind.Documents)
                    {
                        changes.Add(Make(ChangeKind.Drop, emptied));
                    }
                }

                break;
        }

        return false;
    }

    private void Row(PgMessageKind kind, ReadOnlySpan<byte> message, List<Change> changes)
    {
        switch (_output.Relation.Kind)
        {
            case PgRelationKind.Documents:
                if (catalogue.Find(_output.Relation.Collection) is { IsSilent: false } collection)
                {
                    Define(changes);
                    Document(kind, message, collection, changes);
                }

                break;
            case PgRelationKind.Collections:
                LastDefinition = _output.Commit;
                Collection(message);
                break;
            case PgRelationKind.Options:
                LastDefinition = _output.Commit;
                catalogue.TakeOptions(_output, message);
                break;
            case PgRelationKind.Indexes:
                Index(kind, message);
                break;
        }
    }

    private void Document(PgMessageKind kind, ReadOnlySpan<byte> message, WatchedCollection collection, List<Change> changes)
    {
        var relation = _output.Relation;
        var before = _output.HasWholeOld ? _output.Old.Value(message, relation.Document) : default;
        if (kind == PgMessageKind.Delete)
        {
            changes.Add(Make(ChangeKind.Delete, collection, Keep(_output.Old.Value(message, relation.Key)), default, Keep(before)));
            return;
        }

        var document = _output.New.Value(message, relation.Document);
        // A row that was written again as it was is no change.
        if (document.IsEmpty || document.SequenceEqual(before))
        {
            return;
        }

        var key = _output.New.Value(message, relation.Key);
        // What an update changed is not known where WAL does not have the document as it was; what it made of the document is.
        var what = kind == PgMessageKind.Insert ? ChangeKind.Insert
            : before.IsEmpty || (_note is { } note && note.Replaces(key)) ? ChangeKind.Replace
            : ChangeKind.Update;
        changes.Add(Make(what, collection, Keep(key), Keep(document), Keep(before)));
    }

    private void Collection(ReadOnlySpan<byte> message)
    {
        var (known, after) = catalogue.TakeCollection(_output, message);
        // The list may be newer than this row, so what it was before is taken from the row where that has it.
        var before = ChangeCatalogue.Old(_output, message) ?? known;
        if (after is null)
        {
            if (before is not null)
            {
                _definitions.Add(before.IsDatabase
                    ? new(ChangeKind.DropDatabase, before, null, default)
                    : new(ChangeKind.Drop, known ?? before, null, default));
            }
        }
        else if (_output.Old.Count == 0 && before is null)
        {
            _definitions.Add(new(ChangeKind.Create, after, null, default));
        }
        else if (before is not null && (before.Name != after.Name || before.Database != after.Database))
        {
            _definitions.Add(new(ChangeKind.Rename, before with { HasImages = after.HasImages, IsDerived = after.IsDerived }, after, default));
        }
        else if (_output.HasWholeOld && CollectionDefinition.Changes(_output, message) is { IsEmpty: false } changed)
        {
            _definitions.Add(new(ChangeKind.Modify, after, null, changed));
        }
    }

    private void Index(PgMessageKind kind, ReadOnlySpan<byte> message)
    {
        if (catalogue.Find(ChangeCatalogue.IdOf(_output, message)) is not { } collection)
        {
            return;
        }

        var column = _output.Relation.Column("index_is_valid");
        var isValid = _output.New.Value(message, column) is [1];
        var wasValid = _output.HasWholeOld && _output.Old.Value(message, column) is [1];
        if (isValid == wasValid)
        {
            return;
        }

        var row = kind == PgMessageKind.Delete ? _output.Old : _output.New;
        if (CollectionDefinition.Index(row.Value(message, _output.Relation.Column("index_spec"))) is { IsEmpty: false } definition)
        {
            _definitions.Add(new(isValid ? ChangeKind.CreateIndexes : ChangeKind.DropIndexes, collection, null, definition));
        }
    }

    /// <summary>
    /// Adds the changes of definitions that have been read. They are held back until all of a statement's rows are known: the indexes of
    /// a dropped collection are not dropped for themselves, and a rename may have dropped the collection whose name it takes.
    /// </summary>
    private void Define(List<Change> changes)
    {
        if (_definitions.Count == 0)
        {
            return;
        }

        // A database is gone when its collections are, in whichever order their rows were deleted.
        foreach (var draft in _definitions.OrderBy(d => d.Kind == ChangeKind.DropDatabase))
        {
            if (draft.Kind != ChangeKind.DropDatabase && draft.Collection.IsSilent && draft.To is not { IsSilent: false })
            {
                continue;
            }

            var isPart = draft.Kind switch
            {
                ChangeKind.DropIndexes => _definitions.Exists(d => d.Kind == ChangeKind.Drop && d.Collection.Id == draft.Collection.Id),
                ChangeKind.Drop => _definitions.Exists(d => IsOver(d, draft)),
                _ => false,
            };
            if (!isPart)
            {
                var change = Make(draft.Kind, draft.Collection, draft.To, draft.Definition);
                change.Replaced = draft.Kind == ChangeKind.Rename
                    ? _definitions.Find(d => d.Kind == ChangeKind.Drop && IsOver(draft, d))?.Collection
                    : null;
                changes.Add(change);
            }
        }

        _definitions.Clear();

        static bool IsOver(Draft rename, Draft drop) =>
            rename.To is { } to && to.Name == drop.Collection.Name && to.Database == drop.Collection.Database;
    }

    private Change Make(
        ChangeKind kind, WatchedCollection collection, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> document, ReadOnlyMemory<byte> before) => new()
        {
            Commit = _output.Commit,
            CommittedAt = _time,
            Index = _index++,
            Kind = kind,
            Collection = collection,
            Key = key,
            New = document,
            Old = before,
            Transaction = _note?.Transaction,
        };

    private Change Make(ChangeKind kind, WatchedCollection collection, WatchedCollection? to = null, ReadOnlyMemory<byte> definition = default) => new()
    {
        Commit = _output.Commit,
        CommittedAt = _time,
        Index = _index++,
        Kind = kind,
        Collection = collection,
        To = to,
        Definition = definition,
        Transaction = _note?.Transaction,
    };

    /// <summary>A copy that lasts: small ones share an array, so that there are few to be collected.</summary>
    private ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > ChunkSize / 8)
        {
            return bytes.ToArray();
        }

        if (_used + bytes.Length > _chunk.Length)
        {
            _chunk = new byte[ChunkSize];
            _used = 0;
        }

        var kept = _chunk.AsMemory(_used, bytes.Length);
        bytes.CopyTo(kept.Span);
        _used += bytes.Length;
        return kept;
    }
}
