using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Platform.Gateway.Sockets;
using Platform.Wire.Scram;

namespace Platform.Gateway.Postgres;

/// <summary>
/// A connection to PostgreSQL, reduced to what a pass-through needs: prepared statements with parameters and results in binary, one
/// round trip each, no description of columns, no copy of a document but the one that is handed out
/// (https://www.postgresql.org/docs/current/protocol.html, version 3.0). One command runs at a time. Failures of the server are
/// thrown as <see cref="PostgresException"/>, a lost connection as <see cref="IOException"/> or <see cref="SocketException"/>.
/// </summary>
internal sealed class PostgresConnection : IAsyncDisposable
{
    private const int InputBuffer = 8 * 1024;

    // WAL comes in many small messages, of which one system call should bring as many as there are.
    private const int ReplicationBuffer = 32 * 1024;

    // A value in a larger message is given out as a part of the buffer, which is then left to whoever holds the value.
    private const int GivenAway = 32 * 1024;
    private const int LargestMessage = 0x3FFF_FFFF;
    private const int CancelRequest = 80877102;
    private const int ProtocolVersion = 196608;

    /// <summary>How long a command that was cancelled may take to end before its connection is closed.</summary>
    private static readonly TimeSpan s_cancelPatience = TimeSpan.FromSeconds(2);

    private readonly PostgresSettings _settings;
    private readonly BusyWait _busyWait;
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private byte[] _input;
    private int _start;
    private int _end;
    private bool _givenAway;
    private bool _busy;
    private int _prepended;
    private TaskCompletionSource? _ended;
    private int _secret;
    private BusyWait.Patience _patience;
    private CancellationTokenRegistration _registration;
    private Task? _cancelling;

    private PostgresConnection(PostgresSettings settings, BusyWait busyWait, Socket socket)
    {
        _settings = settings;
        _busyWait = busyWait;
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _input = new byte[settings.Replicates ? ReplicationBuffer : InputBuffer];
    }

    /// <summary>The number of the server process.</summary>
    public int ProcessId { get; private set; }

    /// <summary>False after an error that ended the connection.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>
    /// Set when somebody ended a commit's wait for a standby: the command succeeds, and what it wrote is known to be on this server only.
    /// Whoever takes the connection clears it.
    /// </summary>
    public bool IsUnreplicated { get; set; }

    /// <summary>Messages to send.</summary>
    public MessageBuffer Output { get; } = new();

    /// <summary>The body of the message that <see cref="ReceiveAsync"/> returned; valid until the next one is received.</summary>
    public ReadOnlySpan<byte> Body => _input.AsSpan(BodyStart, BodyLength);

    /// <summary>Where the body begins in the buffer.</summary>
    private int BodyStart { get; set; }

    private int BodyLength { get; set; }

    /// <summary>
    /// Connects and logs in. Throws <see cref="PostgresException"/> when the server refuses, <see cref="SocketException"/> or
    /// <see cref="IOException"/> when it is not there, <see cref="TimeoutException"/> when it does not answer in time.
    /// </summary>
    /// <param name="settings">Where the server is.</param>
    /// <param name="busyWait">How answers are waited for.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async ValueTask<PostgresConnection> OpenAsync(PostgresSettings settings, BusyWait busyWait, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(settings.Timeout);
        PostgresConnection? connection = null;
        try
        {
            connection = new PostgresConnection(settings, busyWait, await settings.ConnectAsync(limit.Token));
            using var abort = limit.Token.UnsafeRegister(static c => ((PostgresConnection)c!).Break(), connection);
            await connection.LoginAsync();
            return connection;
        }
        catch (Exception e)
        {
            if (connection is not null)
            {
                connection.Break();
                await connection.DisposeAsync();
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"PostgreSQL did not answer within {settings.Timeout.TotalSeconds:0.#} s.", e);
            }

            throw;
        }
    }

    /// <summary>Has a statement sent in front of the next command, in the same round trip. It must be one that cannot fail: a setting.</summary>
    public void Prepend(string sql)
    {
        Output.Begin((byte)'Q');
        Output.Terminated(sql);
        Output.End();
        _prepended++;
    }

    /// <summary>
    /// Begins a command whose messages are in <see cref="Output"/> and will be sent by <see cref="SendAsync()"/>. When
    /// <paramref name="cancellationToken"/> is cancelled the server is asked to end it.
    /// </summary>
    public void Begin(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_busy)
        {
            throw new InvalidOperationException("A command still runs on this connection to the backend.");
        }

        if (!IsOpen)
        {
            throw new IOException("The connection to the backend is closed.");
        }

        _busy = true;
        _registration = cancellationToken.UnsafeRegister(static c => ((PostgresConnection)c!).Cancel(), this);
    }

    /// <summary>Sends what is in <see cref="Output"/>.</summary>
    public ValueTask SendAsync() => SendAsync(Output.Written);

    /// <summary>Sends bytes.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The server may have said why before it closed: the read that follows finds that out, or fails in its turn.
        }
        finally
        {
            Output.Clear();
        }
    }

    /// <summary>
    /// Takes the next message that is already here and whole. Returns its type, or 0 when more has to be received.
    /// </summary>
    public byte TryReceive()
    {
        while (true)
        {
            var available = _end - _start;
            if (available < 5)
            {
                return 0;
            }

            var length = Length();
            if (available < length + 1)
            {
                return 0;
            }

            var type = _input[_start];
            BodyStart = _start + 5;
            BodyLength = length - 4;
            _start += length + 1;
            switch (type)
            {
                case (byte)'N':
                    // Without a look at this one a write would be acknowledged that no standby has.
                    IsUnreplicated |= ReplicationNotice.IsIn(Body);
                    break;
                case (byte)'S' or (byte)'A':
                    // Settings and notifications may come at any time and mean nothing here.
                    break;
                case (byte)'C' when _prepended > 0:
                    break;
                case (byte)'Z' when _prepended > 0:
                    _prepended--;
                    break;
                case (byte)'E' when _prepended > 0 && PostgresException.Read(Body) is { EndsConnection: false } refused:
                    throw Lost(new InvalidDataException($"PostgreSQL refused a setting: {refused.MessageText}"));
                default:
                    return type;
            }
        }
    }

    /// <summary>The type of the next message, after waiting for it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<byte> ReceiveAsync()
    {
        while (true)
        {
            if (TryReceive() is not 0 and var type)
            {
                return type;
            }

            MakeRoom();
            _busyWait.UntilReadable(_socket, ref _patience);
            int count;
            try
            {
                count = await _stream.ReadAsync(_input.AsMemory(_end));
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                throw Lost(e);
            }

            if (count == 0)
            {
                throw Lost(new EndOfStreamException("PostgreSQL closed the connection."));
            }

            _end += count;
        }
    }

    /// <summary>A part of the body that stays valid: a copy, or for a large message the buffer itself.</summary>
    public ReadOnlyMemory<byte> Keep(int offset, int length)
    {
        if (BodyLength < GivenAway)
        {
            return Body.Slice(offset, length).ToArray();
        }

        _givenAway = true;
        return _input.AsMemory(BodyStart + offset, length);
    }

    /// <summary>
    /// Ends a command after its failure was received: waits until the server is ready again and returns what to throw.
    /// </summary>
    public async ValueTask<Exception> FailAsync(CancellationToken cancellationToken)
    {
        var error = PostgresException.Read(Body);
        if (error.EndsConnection)
        {
            Break();
            await EndAsync();
        }
        else
        {
            await FinishAsync(cancellationToken);
        }

        return (Exception?)Cancelled(error, cancellationToken) ?? error;
    }

    /// <summary>
    /// Reads and drops what is left of a command's results, until the server is ready for the next one. Throws when it fails at its end, as a commit may.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        PostgresException? error = null;
        while (_busy)
        {
            var type = TryReceive();
            if (type == 0)
            {
                type = await ReceiveOrCancelAsync(cancellationToken);
            }

            switch (type)
            {
                case (byte)'Z':
                    var ending = EndAsync();
                    if (!ending.IsCompletedSuccessfully)
                    {
                        await ending;
                    }

                    break;
                case (byte)'E':
                    error ??= PostgresException.Read(Body);
                    if (error.EndsConnection)
                    {
                        Break();
                        await EndAsync();
                    }

                    break;
            }
        }

        if (error is not null)
        {
            throw (Exception?)Cancelled(error, cancellationToken) ?? error;
        }
    }

    /// <summary>As <see cref="ReceiveAsync"/>; a connection that was closed because the server did not react to a cancellation counts as cancelled.</summary>
    public async ValueTask<byte> ReceiveOrCancelAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReceiveAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await EndAsync();
            if (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException("The command was cancelled.", e, cancellationToken);
            }

            throw;
        }
    }

    /// <summary>Ends a command that cannot be finished: its connection is closed.</summary>
    public ValueTask AbandonAsync()
    {
        Break();
        return EndAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (IsOpen)
        {
            IsOpen = false;
            try
            {
                Output.Clear();
                Output.Begin((byte)'X');
                Output.End();
                // A server that takes no more bytes gets no goodbye.
                using var limit = new CancellationTokenSource(s_cancelPatience);
                await _socket.SendAsync(Output.Written, SocketFlags.None, limit.Token);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // It is gone already, which is what was wanted.
            }
        }

        await _stream.DisposeAsync();
    }

    // 57014 after a cancellation is the cancellation; whoever asked for it expects no other exception.
    private static OperationCanceledException? Cancelled(PostgresException error, CancellationToken cancellationToken) =>
        error.SqlState == "57014" && cancellationToken.IsCancellationRequested
            ? new OperationCanceledException("The command was cancelled.", error, cancellationToken)
            : null;

    private int Length()
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(_input.AsSpan(_start + 1));
        return length is >= 4 and <= LargestMessage
            ? length
            : throw Lost(new InvalidDataException($"PostgreSQL sent a message that claims {length} bytes."));
    }

    /// <summary>Makes room for at least one more byte, and for all of a message whose length is known.</summary>
    private void MakeRoom()
    {
        var available = _end - _start;
        var needed = available >= 5 ? Length() + 1 : 5;
        if (!_givenAway && _start + needed <= _input.Length && _end < _input.Length)
        {
            if (available == 0)
            {
                _start = _end = 0;
            }

            return;
        }

        var target = _givenAway || needed > _input.Length || (_input.Length > GivenAway && needed <= InputBuffer)
            ? new byte[Math.Max(needed, InputBuffer)]
            : _input;
        _input.AsSpan(_start, available).CopyTo(target);
        _input = target;
        _givenAway = false;
        _start = 0;
        _end = available;
    }

    private IOException Lost(Exception reason)
    {
        Break();
        return new IOException("The connection to PostgreSQL was lost: " + reason.Message, reason);
    }

    private void Break()
    {
        IsOpen = false;
        _socket.Dispose();
    }

    /// <summary>The server is done with the command: a cancellation that is under way must not hit the next one.</summary>
    private ValueTask EndAsync()
    {
        _busy = false;
        _registration.Dispose();
        _registration = default;
        _ended?.TrySetResult();
        return _cancelling is null ? ValueTask.CompletedTask : AwaitCancellationAsync();
    }

    private async ValueTask AwaitCancellationAsync()
    {
        var cancelling = _cancelling;
        _cancelling = null;
        _ended = null;
        await cancelling!;
    }

    private void Cancel()
    {
        _ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cancelling = CancelAsync(_ended.Task);
    }

    /// <summary>Asks the server, by a connection of its own, to end the command; closes this connection when that does not help.</summary>
    private async Task CancelAsync(Task ended)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            using var limit = new CancellationTokenSource(s_cancelPatience);
            using var socket = await _settings.ConnectAsync(limit.Token);
            var request = new byte[16];
            BinaryPrimitives.WriteInt32BigEndian(request, request.Length);
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(4), CancelRequest);
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(8), ProcessId);
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(12), _secret);
            await socket.SendAsync(request, SocketFlags.None, limit.Token);
            // The server closes when it has passed the request on.
            while (await socket.ReceiveAsync(request, SocketFlags.None, limit.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It cannot be asked; the wait below decides.
        }

        await ended.WaitAsync(s_cancelPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ended.IsCompleted)
        {
            Break();
        }
    }

    private async ValueTask LoginAsync()
    {
        Output.BeginUntyped();
        Output.Int32(ProtocolVersion);
        foreach (var (name, value) in _settings.Parameters)
        {
            Output.Terminated(name);
            Output.Terminated(value);
        }

        Output.Byte(0);
        Output.End();
        await SendAsync();
        ScramClient? login = null;
        while (true)
        {
            switch (await ReceiveAsync())
            {
                case (byte)'R':
                    try
                    {
                        login = await AuthenticateAsync(login);
                    }
                    catch (ScramException e)
                    {
                        throw new IOException($"Logging in to PostgreSQL failed: {e.Message}", e);
                    }

                    break;
                case (byte)'K':
                    ProcessId = BinaryPrimitives.ReadInt32BigEndian(Body);
                    _secret = BinaryPrimitives.ReadInt32BigEndian(Body[4..]);
                    break;
                case (byte)'E':
                    throw PostgresException.Read(Body);
                case (byte)'Z':
                    return;
                case var type:
                    throw Lost(new InvalidDataException($"PostgreSQL sent '{(char)type}' during the login."));
            }
        }
    }

    private async ValueTask<ScramClient?> AuthenticateAsync(ScramClient? login)
    {
        const int ok = 0, cleartext = 3, sasl = 10, saslContinue = 11, saslFinal = 12;
        var kind = BinaryPrimitives.ReadInt32BigEndian(Body);
        if (kind is ok)
        {
            return login;
        }

        var password = _settings.Password
            ?? throw new IOException($"PostgreSQL asks for a password of '{_settings.User}', and the connection string has none.");
        switch (kind)
        {
            case cleartext:
                Output.Begin((byte)'p');
                Output.Terminated(password);
                Output.End();
                break;
            case sasl when Encoding.UTF8.GetString(Body[4..]).Split('\0').Contains(ScramClient.Mechanism):
                // The server takes the name from the start-up message and ignores the one here.
                login = new ScramClient(user: "", password);
                var first = login.First;
                Output.Begin((byte)'p');
                Output.Terminated(ScramClient.Mechanism);
                Output.Int32(first.Length);
                Output.Bytes(first);
                Output.End();
                break;
            case saslContinue when login is not null:
                Output.Begin((byte)'p');
                Output.Bytes(login.Answer(Body[4..]));
                Output.End();
                break;
            case saslFinal when login is not null:
                login.Verify(Body[4..]);
                return login;
            default:
                throw new IOException($"PostgreSQL asks for the login method {kind}; SCRAM-SHA-256, a plain password and none at all are supported.");
        }

        await SendAsync();
        return login;
    }
}
