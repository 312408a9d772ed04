using System.Globalization;
using Platform.Backup.Repository;

namespace Platform.Backup.Copies;

/// <summary>
/// What is in the copy, as far as this machine knows: what was sent and has arrived. It saves asking for each object; when it is lost, the copy itself
/// is asked.
/// </summary>
internal sealed class CopyLedger
{
    private readonly string _file;
    private readonly SortedDictionary<string, CopiedObject> _objects = new(StringComparer.Ordinal);

    private bool _isChanged;

    private CopyLedger(string file) => _file = file;

    /// <summary>The objects, by their paths.</summary>
    public IReadOnlyDictionary<string, CopiedObject> Objects => _objects;

    /// <summary>Reads it. What cannot be read was not written by this program, and counts as nothing.</summary>
    /// <param name="directory">The directory of the backups.</param>
    public static CopyLedger Read(string directory)
    {
        var ledger = new CopyLedger(Path.Combine(directory, "copied"));
        if (File.Exists(ledger._file))
        {
            foreach (var line in File.ReadLines(ledger._file))
            {
                var parts = line.Split(' ', 5);
                if (parts.Length != 5 || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var length)
                    || !long.TryParse(parts[2], CultureInfo.InvariantCulture, out var changed))
                {
                    ledger._objects.Clear();
                    break;
                }

                ledger._objects[parts[4]] = new CopiedObject(new ObjectHash(length, parts[0]), changed, parts[3]);
            }
        }

        return ledger;
    }

    /// <summary>What is known of an object, while others are noted; null for nothing.</summary>
    public CopiedObject? Find(string path)
    {
        lock (_objects)
        {
            return _objects.GetValueOrDefault(path);
        }
    }

    /// <summary>Notes that an object is in the copy.</summary>
    public void Set(string path, CopiedObject copied)
    {
        lock (_objects)
        {
            _objects[path] = copied;
            _isChanged = true;
        }
    }

    /// <summary>Notes that an object is not in the copy, or not as it was sent.</summary>
    public void Forget(string path)
    {
        lock (_objects)
        {
            _isChanged |= _objects.Remove(path);
        }
    }

    /// <summary>Keeps it, when something has changed.</summary>
    public void Write()
    {
        if (_isChanged)
        {
            OwnerOnly.Write(
                _file,
                string.Concat(_objects.Select(entry => string.Create(
                    CultureInfo.InvariantCulture,
                    $"{entry.Value.Hash.Hash} {entry.Value.Hash.Length} {entry.Value.Changed} {entry.Value.Tag} {entry.Key}\n"))));
            _isChanged = false;
        }
    }
}

/// <summary>An object that is in the copy.</summary>
/// <param name="Hash">What it is known by.</param>
/// <param name="Changed">When the file that it was made of was changed last, in ticks.</param>
/// <param name="Tag">The store's own mark of it.</param>
internal sealed record CopiedObject(ObjectHash Hash, long Changed, string Tag)
{
    /// <summary>One that was found not to be as it was sent, whatever is recorded with it: it is sent again.</summary>
    public static CopiedObject Suspect { get; } = new(new ObjectHash(-1, "-"), 0, "-");

    /// <summary>Whether it is such a one.</summary>
    public bool IsSuspect => Hash.Length < 0;
}
