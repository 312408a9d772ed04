using System.Reflection;

namespace Platform.Tests.TestKit;

/// <summary>Stands before an object and sees what it is asked.</summary>
/// <typeparam name="T">The interface.</typeparam>
#pragma warning disable CA1852 // The proxy that is made at run time derives from it.
internal class Interception<T> : DispatchProxy
#pragma warning restore CA1852
    where T : class
{
    private T? _inner;
    private Func<MethodInfo, object?[], Func<object?>, object?> _around = (_, _, next) => next();

    /// <summary>Makes one.</summary>
    /// <param name="inner">The object; null when <paramref name="around"/> answers everything.</param>
    /// <param name="around">Gets the method, its arguments and how to ask the object, and gives the answer.</param>
    public static T Of(T? inner, Func<MethodInfo, object?[], Func<object?>, object?> around)
    {
        var proxy = Create<T, Interception<T>>();
        var interception = (Interception<T>)(object)proxy;
        (interception._inner, interception._around) = (inner, around);
        return proxy;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var (method, arguments) = (targetMethod!, args ?? []);
        return _around(method, arguments, () => method.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, arguments, null));
    }
}
