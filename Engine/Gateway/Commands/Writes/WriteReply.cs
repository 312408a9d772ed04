using System.Globalization;
using System.Text;
using MongoDB.Bson;
using Platform.Gateway.Backend;
using Platform.Gateway.Postgres;
using Platform.Gateway.Sessions;
using Platform.Wire.Bson;

namespace Platform.Gateway.Commands.Writes;

/// <summary>The reply to a command of several transactions, put together from theirs.</summary>
internal sealed class WriteReply(WriteBatch batch, bool isUpdate)
{
    private readonly List<(int Index, RawElement Id)> _upserted = [];
    private readonly List<(int Index, RawDocument Error)> _errors = [];
    private int _count;
    private int _modified;

    /// <summary>Adds what came of the statements from <paramref name="first"/> on.</summary>
    public void Add(int first, WriteOutcome outcome)
    {
        foreach (var field in new RawDocument(outcome.Reply))
        {
            if (field.Is("n"u8))
            {
                _count += (int)(field.Integer ?? 0);
            }
            else if (field.Is("nModified"u8))
            {
                _modified += (int)(field.Integer ?? 0);
            }
            else if (field.Is("upserted"u8))
            {
                foreach (var upserted in field.Document)
                {
                    if (upserted.Document.TryGet("_id"u8, out var id))
                    {
                        _upserted.Add((Index(first, outcome.Count, upserted.Document), id));
                    }
                }
            }
            else if (field.Is("writeErrors"u8))
            {
                foreach (var error in field.Document)
                {
                    _errors.Add((Index(first, outcome.Count, error.Document), error.Document));
                }
            }
        }
    }

    /// <summary>Adds the failure that ended a transaction.</summary>
    public void Add(int position, PostgresException failure)
    {
        var error = new BsonDocument { { "code", SqlState.Encode(failure.SqlState) }, { "errmsg", failure.MessageText } };
        _errors.Add((batch.IndexOf(position, 1, 0), new RawDocument(error.ToBson())));
    }

    /// <summary>The reply in the backend's form, and whether all statements succeeded.</summary>
    public (ReadOnlyMemory<byte> Reply, bool Success) Finish()
    {
        var builder = new BsonBuilder().Add("n"u8, _count);
        if (isUpdate)
        {
            builder.Add("nModified"u8, _modified);
        }

        if (_upserted.Count > 0)
        {
            builder.Start("upserted"u8, BsonType.Array);
            var i = 0;
            foreach (var (index, id) in _upserted.OrderBy(u => u.Index))
            {
                builder.Start(Name(i++)).Add("index"u8, index).Add(id).End();
            }

            builder.End();
        }

        if (_errors.Count > 0)
        {
            builder.Start("writeErrors"u8, BsonType.Array);
            var i = 0;
            foreach (var (index, error) in _errors.OrderBy(e => e.Index))
            {
                builder.Start(Name(i++)).Add("index"u8, index);
                foreach (var field in error)
                {
                    if (!field.Is("index"u8))
                    {
                        builder.Add(field);
                    }
                }

                builder.End();
            }

            builder.End();
        }

        return (builder.Add("ok"u8, 1.0).Finish(), _errors.Count == 0);
    }

    private static byte[] Name(int index) => Encoding.ASCII.GetBytes(index.ToString(CultureInfo.InvariantCulture));

    private int Index(int first, int count, RawDocument part) =>
        batch.IndexOf(first, count, part.TryGet("index"u8, out var index) ? (int)(index.Integer ?? 0) : 0);
}
