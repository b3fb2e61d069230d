using System.Runtime.CompilerServices;
using Xunit;
using static Intmill.Tests.Fixtures;

namespace Intmill.Tests;

public class ListenerTests
{
    [Fact]
    public void HearsOfProgressOnTheCallingThread()
    {
        var heard = new List<(Progress Now, int Thread)>();
        Options options = OneThread.OnProgress(now =>
        {
            heard.Add((now, Environment.CurrentManagedThreadId));
            return true;
        });
        Model.Load(Sample, options).Dispose();
        Assert.NotEmpty(heard);
        Assert.All(heard, each => Assert.Equal(Environment.CurrentManagedThreadId, each.Thread));
        Assert.All(heard, each => Assert.NotEmpty(each.Now.Stage));
    }

    [Fact]
    public void StopsAnOperation()
    {
        Options impatient = OneThread.OnProgress(_ => false);
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Refused(Status.Cancelled, "stopped", () => Model.Load(Sample, impatient));
        using Model model = Model.Load(Sample);
        using Tensor x = Images(1);
        using Probe ranges = Probe.Calibrate(model);
        ranges.Feed(x);
        Refused(Status.Cancelled, "", () => model.Quantize(ranges, impatient));
        Refused(Status.Cancelled, "", () => model.Save(file, impatient));
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void IsTheCauseWhenItThrows()
    {
        var thrown = new InvalidOperationException("no more");
        Options options = OneThread.OnProgress(_ => throw thrown);
        IntmillException e = Refused(Status.Cancelled, "stopped", () => Model.Load(Sample, options));
        Assert.Same(thrown, e.InnerException);
        Assert.Null(Refused(Status.IO, "", () => Model.Load("no such file")).InnerException);
    }

    [Fact]
    public void LivesAsLongAsWhatWasMadeWithIt()
    {
        int calls = 0;
        (Session session, WeakReference listener) = OpenWith(() => ++calls);
        Collect();
        calls = 0;
        using (Tensor x = Images(3))
        {
            session.Run(x).Dispose(); // the first run of this shape compiles
        }
        Assert.True(calls > 0);
        Assert.True(listener.IsAlive);
        session.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (Session Session, WeakReference Listener) OpenWith(Func<int> count)
    {
        Options options = OneThread.OnProgress(_ => count() > 0);
        using Model model = Model.Load(Sample);
        return (new Session(model, options), new WeakReference(options.Listeners));
    }

    [Fact]
    public void TakesTheLogAndMayThrow()
    {
        Options options = OneThread.OnLog((level, line) =>
        {
            Assert.True(Enum.IsDefined(level));
            Assert.DoesNotContain("\n", line, StringComparison.Ordinal);
            throw new InvalidOperationException("swallowed");
        });
        using Model model = Model.Load(Sample, options);
        new Session(model, options).Dispose();
    }
}
