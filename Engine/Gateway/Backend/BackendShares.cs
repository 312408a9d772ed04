using Platform.Gateway.Errors;

namespace Platform.Gateway.Backend;

/// <summary>
/// Shares the connections to the backend out, so that nobody can take them all. A user has a limit; users who do not administer the server
/// leave a reserve to those who do, and all of them leave half of it to the gateway itself, so that logins and clean-up always go on.
/// As many again are left by whoever has several to those who have few, so that some who hold all they may do not stop the rest.
/// Who waits is served in the order of need: of the users who wait, the one with the fewest connections is next.
/// </summary>
internal sealed class BackendShares
{
    private readonly Lock _gate = new();
    private readonly Dictionary<BackendShare, Account> _accounts = [];
    private readonly LinkedList<Account> _waiting = [];
    private readonly int _size;
    private readonly int _reserve;
    private readonly int _perUser;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private int _inUse;
    private int _ofClients;
    private int _ofOrdinaryUsers;

    /// <summary>Shares <paramref name="size"/> connections out.</summary>
    /// <param name="size">How many there are.</param>
    /// <param name="perUser">How many a user may have.</param>
    /// <param name="reserve">How many ordinary users leave to others.</param>
    /// <param name="wait">How long anyone waits.</param>
    /// <param name="time">Measures that.</param>
    public BackendShares(int size, int perUser, int reserve, TimeSpan wait, TimeProvider time) =>
        (_size, _perUser, _reserve, _wait, _time) = (size, perUser, reserve, wait, time);

    /// <summary>How many are taken.</summary>
    public int InUse
    {
        get
        {
            lock (_gate)
            {
                return _inUse;
            }
        }
    }

    /// <summary>How many shares are in use or waited for: others cost no memory.</summary>
    internal int Accounts
    {
        get
        {
            lock (_gate)
            {
                return _accounts.Count;
            }
        }
    }

    /// <summary>
    /// Takes a connection's place, and waits for it where needed. Throws <see cref="CommandException"/> when there is none in time.
    /// </summary>
    public ValueTask<Account> EnterAsync(BackendShare share, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (!_accounts.TryGetValue(share, out var account))
            {
                account = new Account(share, LimitOf(share.Use));
                _accounts.Add(share, account);
            }

            // Whoever could be served is not waiting: each place that becomes free is given away at once.
            if (account.Waiting.Count == 0 && MayEnter(account))
            {
                Take(account);
                return ValueTask.FromResult(account);
            }

            waiter = new Waiter(account);
            account.Waiting.AddLast(waiter.Node);
            if (account.Waiting.Count == 1)
            {
                _waiting.AddLast(account.Node);
            }
        }

        return WaitAsync(waiter, cancellationToken);
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(Account account)
    {
        lock (_gate)
        {
            account.InUse--;
            _inUse--;
            _ofClients -= IsClient(account) ? 1 : 0;
            _ofOrdinaryUsers -= IsOrdinary(account) ? 1 : 0;
            Forget(account);
            while (Next() is { } next)
            {
                var waiter = next.Waiting.First!.Value;
                next.Waiting.RemoveFirst();
                _waiting.Remove(next.Node);
                if (next.Waiting.Count > 0)
                {
                    _waiting.AddLast(next.Node);
                }

                Take(next);
                waiter.Turn.SetResult();
            }
        }
    }

    private async ValueTask<Account> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Turn.Task.WaitAsync(_wait, _time, cancellationToken);
            return waiter.Account;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            if (Withdraw(waiter))
            {
                if (e is OperationCanceledException)
                {
                    throw;
                }

                throw new CommandException(
                    ErrorCode.ExceededTimeLimit, $"No connection to the backend became free within {_wait.TotalSeconds:0.#} s.");
            }

            // The turn came at the last moment.
            if (e is OperationCanceledException)
            {
                Leave(waiter.Account);
                throw;
            }

            return waiter.Account;
        }
    }

    /// <summary>Ends a wait; false when its turn has come.</summary>
    private bool Withdraw(Waiter waiter)
    {
        lock (_gate)
        {
            var account = waiter.Account;
            if (waiter.Node.List is null)
            {
                return false;
            }

            account.Waiting.Remove(waiter.Node);
            if (account.Waiting.Count == 0)
            {
                _waiting.Remove(account.Node);
                Forget(account);
            }

            return true;
        }
    }

    /// <summary>Who waits, may enter, and has the fewest; of several the one that waits longest.</summary>
    private Account? Next()
    {
        Account? next = null;
        foreach (var account in _waiting)
        {
            if (MayEnter(account) && (next is null || account.InUse < next.InUse))
            {
                next = account;
            }
        }

        return next;
    }

    private bool MayEnter(Account account) =>
        _inUse < _size
        && account.InUse < account.Limit
        && (!IsClient(account) || _ofClients < _size - (_reserve / 2) - LeftToOthers(account))
        && (!IsOrdinary(account) || _ofOrdinaryUsers < _size - _reserve - LeftToOthers(account));

    private int LeftToOthers(Account account) => account.InUse < Math.Max(1, _reserve / 2) ? 0 : _reserve;

    private void Take(Account account)
    {
        account.InUse++;
        _inUse++;
        _ofClients += IsClient(account) ? 1 : 0;
        _ofOrdinaryUsers += IsOrdinary(account) ? 1 : 0;
    }

    private void Forget(Account account)
    {
        if (account is { InUse: 0, Waiting.Count: 0 })
        {
            _accounts.Remove(account.Share);
        }
    }

    private static bool IsClient(Account account) => account.Share.Use is BackendUse.User or BackendUse.Administrator or BackendUse.Health;

    private static bool IsOrdinary(Account account) => account.Share.Use is BackendUse.User or BackendUse.Health;

    private int LimitOf(BackendUse use) => use switch
    {
        BackendUse.Gateway => _size,
        BackendUse.Health => 1,
        BackendUse.Login => Math.Max(1, _reserve / 2),
        _ => _perUser,
    };

    /// <summary>The connections of one share.</summary>
    internal sealed class Account
    {
        internal Account(BackendShare share, int limit)
        {
            Share = share;
            Limit = limit;
            Node = new LinkedListNode<Account>(this);
        }

        /// <summary>Whose they are.</summary>
        public BackendShare Share { get; }

        internal int Limit { get; }

        internal int InUse { get; set; }

        internal LinkedList<Waiter> Waiting { get; } = [];

        internal LinkedListNode<Account> Node { get; }
    }

    internal sealed class Waiter
    {
        internal Waiter(Account account)
        {
            Account = account;
            Node = new LinkedListNode<Waiter>(this);
        }

        internal Account Account { get; }

        internal LinkedListNode<Waiter> Node { get; }

        internal TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
